/** The caller's side of a model on the embedded engine: checks a call, sends it, gives back its result. */
import { present, type CallOptions } from "../../base/index.ts";
import {
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
  type LossEvaluation,
  type LossOutputName,
  type LossOutputs,
  type Model,
  type OptimizerParameters,
  type OptimStepResult,
  type PolicyVersion,
  type PublishOptions,
  type SavedState,
} from "../../contract/index.ts";
import { packRow } from "./pack-rows.ts";
import type { ArgumentsOf, EngineCallName, ModelFacts, ResultOf, TokenArrays } from "./thread/protocol.ts";
import type { ThreadClient } from "./thread/thread-client.ts";

export interface ModelHost {
  readonly client: ThreadClient;
  /** Remembers what later calls with the version are checked against. */
  published(version: PolicyVersion, facts: ModelFacts): void;
  released(name: string): void;
}

type ModelCall = Extract<ArgumentsOf<EngineCallName>, { readonly modelId: string }>;

export class EmbeddedModel implements Model {
  readonly id: string;
  readonly name: string;
  readonly contextLength: number;
  readonly vocabularySize: number;
  readonly parameterCount: number;
  readonly trainableParameterCount: number;
  private readonly host: ModelHost;
  private readonly facts: ModelFacts;
  private isReleased = false;

  constructor(host: ModelHost, name: string, facts: ModelFacts) {
    this.host = host;
    this.name = name;
    this.facts = facts;
    this.id = facts.id;
    this.contextLength = facts.contextLength;
    this.vocabularySize = facts.vocabularySize;
    this.parameterCount = facts.parameterCount;
    this.trainableParameterCount = facts.trainableParameterCount;
  }

  async forward(data: readonly Datum[], call?: CallOptions): Promise<ForwardResult> {
    checkData(data, this);
    return this.send("forward", { modelId: this.id, rows: data.map(packRow) }, call);
  }

  async forwardBackward(
    data: readonly Datum[],
    loss: BuiltInLoss,
    call?: CallOptions,
  ): Promise<ForwardBackwardResult> {
    checkData(data, this, loss);
    return this.send("forwardBackward", { modelId: this.id, rows: data.map(packRow), loss }, call);
  }

  async forwardBackwardCustom(
    data: readonly Datum[],
    loss: CustomLoss,
    call?: CallOptions,
  ): Promise<ForwardBackwardResult> {
    const reads = loss.reads ?? [];
    if (reads.includes("values") && !this.facts.hasValueHead) {
      throw engineError(
        "invalid-input",
        `loss ${loss.name} reads values: expected a model with a value head, got ${this.name}`,
      );
    }
    checkData(data, this);
    this.checkAlive();
    let evaluation: LossEvaluation | undefined;
    const { logprobs } = await this.host.client.call({
      name: "forwardBackwardCustom",
      arguments: { modelId: this.id, rows: data.map(packRow), withEntropies: reads.includes("entropies") },
      call,
      answer: (computed) => {
        evaluation = loss.evaluate(outputsFor(reads, computed), data);
        return checkGradients(loss, evaluation, data);
      },
    });
    const { value, metrics } = present(evaluation, "the evaluation of a custom loss");
    return { logprobs, loss: value, metrics };
  }

  async optimStep(parameters: OptimizerParameters, call?: CallOptions): Promise<OptimStepResult> {
    checkOptimizerParameters(parameters);
    return this.send("optimStep", { modelId: this.id, parameters }, call);
  }

  async discardGradients(call?: CallOptions): Promise<void> {
    await this.send("discardGradients", { modelId: this.id }, call);
  }

  async publish(options: PublishOptions = {}, call?: CallOptions): Promise<PolicyVersion> {
    const version = await this.send(
      "publish",
      { modelId: this.id, trainable: options.trainable === true },
      call,
    );
    this.host.published(version, this.facts);
    return version;
  }

  async save(folder: string, call?: CallOptions): Promise<SavedState> {
    return this.send("save", { modelId: this.id, folder }, call);
  }

  async load(folder: string, options: LoadOptions = {}, call?: CallOptions): Promise<void> {
    await this.send(
      "load",
      { modelId: this.id, folder, includeOptimizer: options.includeOptimizer ?? true },
      call,
    );
  }

  async export(folder: string, call?: CallOptions): Promise<void> {
    await this.send("export", { modelId: this.id, folder }, call);
  }

  async release(call?: CallOptions): Promise<void> {
    if (this.isReleased) return;
    const released = this.send("releaseModel", { modelId: this.id }, call);
    this.isReleased = true;
    this.host.released(this.name);
    await released;
  }

  private async send<Name extends EngineCallName>(
    name: Name,
    given: ArgumentsOf<Name> & ModelCall,
    call: CallOptions | undefined,
  ): Promise<ResultOf<Name>> {
    this.checkAlive();
    return this.host.client.call({ name, arguments: given, call });
  }

  private checkAlive(): void {
    this.host.client.checkOpen();
    if (this.isReleased) throw modelReleased(this.name);
  }
}

/** In float64, and only what the loss asked for. */
function outputsFor(reads: readonly LossOutputName[], computed: TokenArrays<Float32Array>): LossOutputs {
  const widen = (rows: readonly Float32Array[] | undefined): Float64Array[] =>
    present(rows, "an output that a loss reads").map((row) => Float64Array.from(row));
  return {
    logprobs: widen(computed.logprobs),
    ...(reads.includes("entropies") ? { entropies: widen(computed.entropies) } : {}),
    ...(reads.includes("values") ? { values: widen(computed.values) } : {}),
  };
}

/** A loss is the user's code: its gradients must have the shape of the rows and hold finite numbers. */
function checkGradients(
  loss: CustomLoss,
  { gradients }: LossEvaluation,
  data: readonly Datum[],
): TokenArrays<Float64Array> {
  for (const name of ["entropies", "values"] as const) {
    if (gradients[name] !== undefined && loss.reads?.includes(name) !== true) {
      throw engineError(
        "invalid-input",
        `loss ${loss.name}: expected ${name} among what it reads, since it has a gradient for them`,
      );
    }
  }
  const checked = (name: LossOutputName): readonly Float64Array[] =>
    data.map((datum, row) =>
      checkGradient(gradients[name]?.[row], { datum, where: `loss ${loss.name}: row ${row}: ${name}` }),
    );
  return {
    logprobs: checked("logprobs"),
    ...(gradients.entropies === undefined ? {} : { entropies: checked("entropies") }),
    ...(gradients.values === undefined ? {} : { values: checked("values") }),
  };
}

/** A row that was left out has gradient zero. */
function checkGradient(
  gradient: Float64Array | undefined,
  { datum, where }: { readonly datum: Datum; readonly where: string },
): Float64Array {
  const { length } = datum.targets;
  if (gradient === undefined) return new Float64Array(length);
  if (gradient.length === length && gradient.every(Number.isFinite)) return gradient;
  const got = gradient.length === length ? "numbers that are not finite" : `${gradient.length} numbers`;
  throw engineError("invalid-input", `${where}: expected a gradient of ${length} finite numbers, got ${got}`);
}
