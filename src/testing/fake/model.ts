/**
 * A model of the fake engine: trained numbers, an optimizer and gradients that add up, behind a
 * queue that keeps the order of submission. Publishing and registering are the engine's part.
 */
import { SerialQueue, type CallOptions } from "../../base/index.ts";
import {
  capabilityMissing,
  checkData,
  checkOptimizerParameters,
  engineError,
  modelReleased,
  referenceLoss,
  referenceOptimizerStep,
  type BuiltInLoss,
  type Capability,
  type Chunk,
  type CustomLoss,
  type Datum,
  type ForwardBackwardResult,
  type ForwardResult,
  type LoadOptions,
  type LossEvaluation,
  type LossOutputs,
  type Model,
  type OptimizerParameters,
  type OptimStepResult,
  type PolicyVersion,
  type PublishOptions,
  type SavedState,
} from "../../contract/index.ts";
import type { CallContext, FakeCalls } from "./calls.ts";
import {
  loadState,
  safetensors,
  saveState,
  withoutOptimizer,
  writeFolder,
  type FakeState,
} from "./checkpoint.ts";
import type { FakeCallKind } from "./faults.ts";
import { layoutOf, type NetworkLayout } from "./layout.ts";
import type { Network } from "./network.ts";
import { backwardRow, runRow, type RowPass } from "./row-pass.ts";
import { trainableOf, type Trainable } from "./trainable.ts";

/** What a model needs of its engine. */
export interface FakeModelHost {
  readonly calls: FakeCalls;
  readonly capabilities: ReadonlySet<Capability>;
  /** @throws `capability-missing`, `invalid-input` */
  checkImages(chunks: readonly Chunk[]): void;
  /** Keeps the weights under a new version. */
  register(model: FakeModel, context: CallContext, options: PublishOptions): PolicyVersion;
  forget(model: FakeModel): void;
}

export class FakeModel implements Model {
  readonly id: string;
  readonly name: string;
  readonly contextLength: number;
  readonly vocabularySize: number;
  readonly parameterCount: number;
  readonly trainableParameterCount: number;
  readonly #host: FakeModelHost;
  readonly #layout: NetworkLayout;
  readonly #queue = new SerialQueue();
  #trainable: Trainable;
  #state: FakeState;
  #gradient: Float64Array | null = null;
  #isReleased = false;

  constructor(
    host: FakeModelHost,
    identity: { readonly id: string; readonly name: string },
    state: FakeState,
  ) {
    this.#host = host;
    this.#layout = layoutOf(state.sizes);
    this.#state = state;
    this.#trainable = trainableOf(this.#layout, state.base, state.tuning);
    this.id = identity.id;
    this.name = identity.name;
    this.contextLength = state.contextLength;
    this.vocabularySize = state.sizes.vocabularySize;
    this.parameterCount =
      this.#layout.parameterCount + (state.tuning.kind === "lora" ? state.trained.length : 0);
    this.trainableParameterCount = state.trained.length;
  }

  /** The state with adapters merged into the network's weights. */
  get state(): FakeState {
    return this.#state;
  }

  network(): Network {
    return { layout: this.#layout, weights: this.#trainable.merge(this.#state.trained) };
  }

  async forward(data: readonly Datum[], call?: CallOptions): Promise<ForwardResult> {
    this.#checkData(data);
    return this.#run("forward", call, () => ({ logprobs: toFloat32(this.#passes(data)) }));
  }

  async forwardBackward(
    data: readonly Datum[],
    loss: BuiltInLoss,
    call?: CallOptions,
  ): Promise<ForwardBackwardResult> {
    this.#need(`loss:${loss.kind}`);
    this.#checkData(data, loss);
    return this.#run("forwardBackward", call, () =>
      this.#accumulate(data, (passes) =>
        referenceLoss(
          loss,
          passes.map((pass) => pass.logprobs),
          data,
        ),
      ),
    );
  }

  async forwardBackwardCustom(
    data: readonly Datum[],
    loss: CustomLoss,
    call?: CallOptions,
  ): Promise<ForwardBackwardResult> {
    const reads = loss.reads ?? [];
    if (reads.length > 0) this.#need("one-pass-custom-loss");
    for (const output of reads) this.#need(output);
    if (reads.includes("values") && this.#state.head !== "value") {
      throw engineError(
        "invalid-input",
        `loss ${loss.name} reads values: expected a model with a value head, got ${this.name}`,
      );
    }
    this.#checkData(data);
    return this.#run("forwardBackwardCustom", call, () =>
      this.#accumulate(data, (passes) => loss.evaluate(outputsOf(passes, reads), data)),
    );
  }

  async optimStep(parameters: OptimizerParameters, call?: CallOptions): Promise<OptimStepResult> {
    this.#need(`optimizer:${parameters.kind}`);
    checkOptimizerParameters(parameters);
    return this.#run("optimStep", call, () => {
      if (this.#gradient === null) {
        throw engineError("invalid-input", "expected gradients to apply, none have accumulated", {
          hint: "call forwardBackward before optimStep",
        });
      }
      const step = referenceOptimizerStep(
        parameters,
        this.#state.trained,
        this.#gradient,
        this.#state.optimizer,
      );
      const stepCount = this.#state.stepCount + 1;
      this.#state = { ...this.#state, trained: step.weights, optimizer: step.state, stepCount };
      this.#gradient = null;
      return { gradientNorm: step.gradientNorm, stepCount };
    });
  }

  async discardGradients(call?: CallOptions): Promise<void> {
    this.#need("discard-gradients");
    return this.#run("discardGradients", call, () => {
      this.#gradient = null;
    });
  }

  async publish(options: PublishOptions = {}, call?: CallOptions): Promise<PolicyVersion> {
    return this.#run("publish", call, (context) => this.#host.register(this, context, options));
  }

  async save(folder: string, call?: CallOptions): Promise<SavedState> {
    return this.#run("save", call, () => saveState(folder, this.#state));
  }

  async load(folder: string, options: LoadOptions = {}, call?: CallOptions): Promise<void> {
    return this.#run("load", call, async () => {
      const loaded = await loadState(folder);
      const isSame =
        layoutOf(loaded.sizes).parameterCount === this.#layout.parameterCount &&
        loaded.trained.length === this.#state.trained.length;
      if (!isSame) {
        throw engineError(
          "state-unreadable",
          `expected a state of ${this.#state.trained.length} weights in ${folder}, got ${loaded.trained.length}`,
        );
      }
      this.#state = options.includeOptimizer === false ? withoutOptimizer(loaded) : loaded;
      this.#trainable = trainableOf(this.#layout, loaded.base, loaded.tuning);
      this.#gradient = null;
    });
  }

  async export(folder: string, call?: CallOptions): Promise<void> {
    return this.#run("export", call, () => {
      const { sizes, contextLength, tokenizer } = this.#state;
      const config = {
        model_type: "spar-fake",
        vocab_size: sizes.vocabularySize,
        hidden_size: sizes.width,
        max_position_embeddings: contextLength,
      };
      return writeFolder(folder, {
        "config.json": JSON.stringify(config, null, 2),
        "model.safetensors": safetensors("weights", this.network().weights),
        ...(tokenizer === null
          ? {}
          : {
              "tokenizer.json": tokenizer.tokenizerJson,
              "tokenizer_config.json": tokenizer.tokenizerConfigJson,
            }),
      });
    });
  }

  async release(call?: CallOptions): Promise<void> {
    if (this.#isReleased) return;
    const released = this.#run("release", call, () => this.#host.forget(this));
    this.#isReleased = true;
    return released;
  }

  async #run<T>(
    kind: FakeCallKind,
    call: CallOptions | undefined,
    perform: (context: CallContext) => Promise<T> | T,
  ): Promise<T> {
    this.#checkAlive();
    return this.#host.calls.run({ kind, subject: this.name, call, queue: this.#queue }, perform);
  }

  #checkAlive(): void {
    this.#host.calls.checkOpen();
    if (this.#isReleased) throw modelReleased(this.name);
  }

  #checkData(data: readonly Datum[], loss?: BuiltInLoss): void {
    this.#checkAlive();
    for (const datum of data) this.#host.checkImages(datum.input);
    checkData(data, this, loss);
  }

  #need(capability: Capability): void {
    if (!this.#host.capabilities.has(capability)) throw capabilityMissing("fake", capability);
  }

  #passes(data: readonly Datum[]): RowPass[] {
    const network = this.network();
    return data.map((datum) => runRow(network, datum));
  }

  #accumulate(
    data: readonly Datum[],
    evaluate: (passes: readonly RowPass[]) => LossEvaluation,
  ): ForwardBackwardResult {
    const network = this.network();
    const passes = data.map((datum) => runRow(network, datum));
    const evaluation = evaluate(passes);
    const full = new Float64Array(this.#layout.parameterCount);
    passes.forEach((pass, row) => backwardRow(network, pass, evaluation, row, full));
    const added = this.#trainable.pullBack(this.#state.trained, full);
    const before = this.#gradient;
    this.#gradient = before === null ? added.slice() : before.map((sum, index) => sum + (added[index] ?? 0));
    return { logprobs: toFloat32(passes), loss: evaluation.value, metrics: evaluation.metrics };
  }
}

function outputsOf(passes: readonly RowPass[], reads: readonly ("entropies" | "values")[]): LossOutputs {
  return {
    logprobs: passes.map((pass) => pass.logprobs),
    ...(reads.includes("entropies") ? { entropies: passes.map((pass) => pass.entropies) } : {}),
    ...(reads.includes("values") ? { values: passes.map((pass) => pass.values) } : {}),
  };
}

function toFloat32(passes: readonly RowPass[]): Float32Array[] {
  return passes.map((pass) => Float32Array.from(pass.logprobs));
}
