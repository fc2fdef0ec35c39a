/** The caller's side of a model on the embedded engine: checks a call, sends it, gives back its result. */
import { present, type CallOptions } from "../../base/index.ts";
import {
  capabilityMissing,
  checkData,
  checkOptimizerParameters,
  engineError,
  type BuiltInLoss,
  type CustomLoss,
  type Datum,
  type ForwardBackwardResult,
  type ForwardResult,
  type LoadOptions,
  type LossEvaluation,
  type Model,
  type OptimizerParameters,
  type OptimStepResult,
  type PolicyVersion,
  type PublishOptions,
  type SavedState,
} from "../../contract/index.ts";
import { packRow } from "./pack-rows.ts";
import type { ArgumentsOf, EngineCallName, ModelFacts, ResultOf } from "./thread/protocol.ts";
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
    if ((loss.reads ?? []).length > 0) throw capabilityMissing("embedded", "one-pass-custom-loss");
    checkData(data, this);
    this.checkAlive();
    let evaluation: LossEvaluation | undefined;
    const { logprobs } = await this.host.client.call({
      name: "forwardBackwardCustom",
      arguments: { modelId: this.id, rows: data.map(packRow) },
      call,
      answer: (computed) => {
        evaluation = loss.evaluate({ logprobs: computed.map((row) => Float64Array.from(row)) }, data);
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
    if (this.isReleased)
      throw engineError("model-released", `expected a live model, ${this.name} was released`);
  }
}

/** A loss is the user's code: its gradient must have the shape of the rows and hold finite numbers. */
function checkGradients(
  loss: CustomLoss,
  { gradients }: LossEvaluation,
  data: readonly Datum[],
): readonly Float64Array[] {
  if (gradients.entropies !== undefined || gradients.values !== undefined) {
    throw capabilityMissing("embedded", "one-pass-custom-loss");
  }
  return data.map((datum, row) => {
    const gradient = gradients.logprobs?.[row] ?? new Float64Array(datum.targets.length);
    if (gradient.length !== datum.targets.length || !gradient.every(Number.isFinite)) {
      const got =
        gradient.length === datum.targets.length
          ? "numbers that are not finite"
          : `${gradient.length} numbers`;
      throw engineError(
        "invalid-input",
        `loss ${loss.name}: expected a gradient of ${datum.targets.length} finite numbers for row ${row}, got ${got}`,
      );
    }
    return gradient;
  });
}
