/**
 * A model of the engine contract on a server: checks calls, turns losses and steps into those of the wire, and reads
 * results.
 */
import { isSparError, throwIfAborted, type CallOptions } from "../../base/index.ts";
import {
  capabilityMissing,
  checkData,
  checkOptimizerParameters,
  engineError,
  modelReleased,
  type BuiltInLoss,
  type CustomLoss,
  type Datum,
  type ForwardBackwardResult,
  type ForwardResult,
  type LoadOptions,
  type Model,
  type OptimizerParameters,
  type OptimStepResult,
  type PolicyVersion,
  type PublishOptions,
  type SavedState,
} from "../../contract/index.ts";
import type { TrainingModel } from "./client/training-model.ts";
import { CustomPasses } from "./custom-passes.ts";
import { exportFolder } from "./export-folder.ts";
import { GradientPasses, outputOf } from "./gradient-passes.ts";
import { encodeForward } from "./losses/encode-loss.ts";
import { encodeStep } from "./losses/encode-step.ts";
import { hasValueHead, readState, saveFolder, type ModelOrigin } from "./state-folder.ts";
import type { EngineHost, PublishedVersion } from "./published.ts";

export interface TinkerModelOptions {
  readonly host: EngineHost;
  readonly name: string;
  readonly server: TrainingModel;
  readonly origin: ModelOrigin;
  readonly stepCount: number;
}

export class TinkerModel implements Model {
  readonly id: string;
  readonly name: string;
  readonly contextLength: number;
  readonly vocabularySize: number;
  readonly parameterCount: number;
  readonly trainableParameterCount: number;
  readonly #host: EngineHost;
  readonly #server: TrainingModel;
  readonly #origin: ModelOrigin;
  readonly #passes: GradientPasses;
  readonly #customPasses: CustomPasses;
  #versionCount = 0;
  #stepCount: number;
  #isReleased = false;

  constructor(options: TinkerModelOptions) {
    this.#host = options.host;
    this.#server = options.server;
    this.#origin = options.origin;
    this.#stepCount = options.stepCount;
    this.#passes = new GradientPasses(options.server, options.host.connection.profile);
    this.#customPasses = new CustomPasses(
      this.#passes,
      options.host.capabilities.has("one-pass-custom-loss"),
    );
    this.name = options.name;
    this.id = options.server.modelId;
    const { sizes } = options.origin;
    this.contextLength = sizes.contextLength;
    this.vocabularySize = sizes.vocabularySize;
    this.parameterCount = sizes.parameterCount;
    this.trainableParameterCount = sizes.trainableParameterCount;
  }

  async forward(data: readonly Datum[], call?: CallOptions): Promise<ForwardResult> {
    this.#checkData(data);
    return { logprobs: outputOf("logprobs", await this.#server.pass(encodeForward(data), call), data) };
  }

  async forwardBackward(
    data: readonly Datum[],
    loss: BuiltInLoss,
    call?: CallOptions,
  ): Promise<ForwardBackwardResult> {
    this.#need(`loss:${loss.kind}`);
    this.#checkData(data, loss);
    const what = `forward_backward of ${this.name}`;
    return this.#server.calls.run(what, call ?? {}, () => this.#passes.submit(data, loss));
  }

  async forwardBackwardCustom(
    data: readonly Datum[],
    loss: CustomLoss,
    call?: CallOptions,
  ): Promise<ForwardBackwardResult> {
    const reads = loss.reads ?? [];
    if (reads.length > 0) this.#need("one-pass-custom-loss");
    for (const name of reads) this.#need(name);
    if (reads.includes("values") && !hasValueHead(this.#origin)) {
      throw engineError(
        "invalid-input",
        `loss ${loss.name} reads values: expected a model with a value head, got ${this.name}`,
        { hint: 'make the model with { head: "value" }' },
      );
    }
    this.#checkData(data);
    const what = `forward_backward of ${this.name} with ${loss.name}`;
    return this.#server.calls.run(what, call ?? {}, () => this.#customPasses.submit(data, loss));
  }

  async optimStep(parameters: OptimizerParameters, call?: CallOptions): Promise<OptimStepResult> {
    this.#checkAlive();
    this.#need(`optimizer:${parameters.kind}`);
    checkOptimizerParameters(parameters);
    const { profile } = this.#host.connection;
    encodeStep(parameters, profile, 1);
    return this.#server.calls.run(`optim_step of ${this.name}`, call ?? {}, async () => {
      const factor = this.#passes.scale;
      if (factor === null) {
        throw engineError("invalid-input", "expected gradients to apply, none have accumulated", {
          hint: "call forwardBackward before optimStep",
        });
      }
      const metrics = await this.#server.submitStep(encodeStep(parameters, profile, factor));
      this.#passes.clear();
      this.#stepCount += 1;
      const stepCount = this.#stepCount;
      const result = metrics();
      result.catch((thrown: unknown) => {
        if (this.#stepCount === stepCount) this.#stepCount -= 1;
        // Gradients that are no numbers were dropped on both sides. Of any other failure nobody knows how far it got.
        if (!isSparError(thrown) || thrown.code !== "weights-diverged") this.#server.calls.putInDoubt(thrown);
      });
      return async () => stepResult(await result, stepCount);
    });
  }

  async discardGradients(call?: CallOptions): Promise<void> {
    this.#checkAlive();
    this.#need("discard-gradients");
    await this.#server.discardGradients(call, () => this.#passes.clear());
  }

  async publish(options: PublishOptions = {}, call?: CallOptions): Promise<PolicyVersion> {
    this.#checkAlive();
    this.#versionCount += 1;
    const number = this.#versionCount;
    // Both at once, so that nothing comes between them in the model's queue.
    const [address, statePath] = await Promise.all([
      this.#server.saveForSampler({ name: `version-${number}` }, call),
      options.trainable === true ? this.#server.saveState({ name: `version-${number}` }, call) : null,
    ]);
    const version = { modelId: this.id, number, address, digest: null };
    const published: PublishedVersion = { origin: this.#origin, statePath };
    this.#host.published(version, published);
    return version;
  }

  async save(folder: string, call?: CallOptions): Promise<SavedState> {
    this.#checkAlive();
    const { sharesFiles } = this.#host.connection;
    return saveFolder(folder, { sharesFiles }, async (states) => {
      // Of the moment when the server takes it: a step may be sent while the folder is made.
      let stepCount = 0;
      const onSent = (): void => void (stepCount = this.#stepCount);
      const path = await this.#server.saveState(
        { ...(states === null ? {} : { folder: states }), onSent },
        call,
      );
      throwIfAborted(call?.signal, { boundary: "engine", what: `the save of ${this.name}` });
      return { path, ...this.#origin, stepCount };
    });
  }

  async load(folder: string, options: LoadOptions = {}, call?: CallOptions): Promise<void> {
    this.#checkAlive();
    const state = await readState(folder);
    const includeOptimizer = options.includeOptimizer ?? true;
    try {
      await this.#server.load(state.path, includeOptimizer, call, () => {
        this.#passes.clear();
        this.#stepCount = includeOptimizer ? state.stepCount : 0;
      });
    } catch (thrown) {
      throw stateGone(thrown, folder, state.path);
    }
  }

  /** Only from a server of ours on this machine. @throws `request-refused` elsewhere */
  async export(folder: string, call?: CallOptions): Promise<void> {
    this.#checkAlive();
    await exportFolder(folder, { connection: this.#host.connection, server: this.#server }, call);
  }

  async release(call?: CallOptions): Promise<void> {
    if (this.#isReleased) return;
    this.#host.connection.checkOpen();
    const unloaded = this.#server.unload(call);
    this.#isReleased = true;
    this.#host.released(this.name);
    await unloaded;
  }

  #need(capability: Parameters<typeof capabilityMissing>[1]): void {
    if (!this.#host.capabilities.has(capability)) throw capabilityMissing("tinker", capability);
  }

  #checkAlive(): void {
    this.#host.connection.checkOpen();
    if (this.#isReleased) throw modelReleased(this.name);
  }

  #checkData(data: readonly Datum[], loss?: BuiltInLoss): void {
    this.#checkAlive();
    const hasImage = data.some(({ input }) => input.some(({ kind }) => kind === "image"));
    if (hasImage) throw capabilityMissing("tinker", "images");
    checkData(data, this, loss);
  }
}

const normName = /(^|[./])grad_norm($|:)/u;

function stepResult(metrics: Readonly<Record<string, number>>, stepCount: number): OptimStepResult {
  const name = Object.keys(metrics).find((key) => normName.test(key));
  return {
    gradientNorm: name === undefined ? null : (metrics[name] ?? null),
    stepCount: metrics["step_count"] ?? stepCount,
  };
}

/** The folder is whole, what it stands for is not there any more. */
function stateGone(thrown: unknown, folder: string, path: string): unknown {
  const isGone = isSparError(thrown) && (thrown.code === "not-found" || thrown.code === "request-refused");
  if (!isGone) return thrown;
  return engineError(
    "state-unreadable",
    `expected the server to have the state ${path} of ${folder}: ${thrown.message}`,
    {
      hint: "states live on the server that made them, and may end there",
      cause: thrown,
    },
  );
}
