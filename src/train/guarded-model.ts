/**
 * An engine's model as a recipe sees it: used inside steps only, changed only by steps that name it,
 * with a count of its changes, so that the run knows what has to be saved.
 */
import type { CallOptions } from "../base/index.ts";
import type {
  BuiltInLoss,
  CustomLoss,
  Datum,
  ForwardBackwardResult,
  ForwardResult,
  LoadOptions,
  Model,
  OptimizerParameters,
  OptimStepResult,
  PolicyVersion,
  SavedState,
} from "../contract/index.ts";
import { trainError } from "./train-errors.ts";

/** What the run lets a model do at this moment. */
export interface ModelGuard {
  /** @throws `outside-step` */
  checkUse(): void;
  /** @throws `outside-step`, `not-named-by-step` */
  checkChange(): void;
  /** A call's options with the signal of the run. */
  callOptions(call: CallOptions | undefined): CallOptions;
}

export class GuardedModel implements Model {
  readonly inner: Model;
  readonly #guard: ModelGuard;
  /** Rises with everything that can change weights or optimizer. */
  changeCount = 0;
  /** Whether gradients wait for an `optimStep`; they are in no checkpoint. */
  hasGradients = false;

  constructor(inner: Model, guard: ModelGuard) {
    this.inner = inner;
    this.#guard = guard;
  }

  get id(): string {
    return this.inner.id;
  }

  get name(): string {
    return this.inner.name;
  }

  get contextLength(): number {
    return this.inner.contextLength;
  }

  get vocabularySize(): number {
    return this.inner.vocabularySize;
  }

  get parameterCount(): number {
    return this.inner.parameterCount;
  }

  get trainableParameterCount(): number {
    return this.inner.trainableParameterCount;
  }

  async forward(data: readonly Datum[], call?: CallOptions): Promise<ForwardResult> {
    this.#guard.checkUse();
    return this.inner.forward(data, this.#guard.callOptions(call));
  }

  async forwardBackward(
    data: readonly Datum[],
    loss: BuiltInLoss,
    call?: CallOptions,
  ): Promise<ForwardBackwardResult> {
    this.#guard.checkChange();
    this.hasGradients = true;
    return this.inner.forwardBackward(data, loss, this.#guard.callOptions(call));
  }

  async forwardBackwardCustom(
    data: readonly Datum[],
    loss: CustomLoss,
    call?: CallOptions,
  ): Promise<ForwardBackwardResult> {
    this.#guard.checkChange();
    this.hasGradients = true;
    return this.inner.forwardBackwardCustom(data, loss, this.#guard.callOptions(call));
  }

  async optimStep(parameters: OptimizerParameters, call?: CallOptions): Promise<OptimStepResult> {
    this.#guard.checkChange();
    this.hasGradients = false;
    this.changeCount++;
    return this.inner.optimStep(parameters, this.#guard.callOptions(call));
  }

  async discardGradients(call?: CallOptions): Promise<void> {
    this.#guard.checkChange();
    this.hasGradients = false;
    return this.inner.discardGradients(this.#guard.callOptions(call));
  }

  async save(folder: string, call?: CallOptions): Promise<SavedState> {
    this.#guard.checkUse();
    return this.inner.save(folder, this.#guard.callOptions(call));
  }

  async load(folder: string, options?: LoadOptions, call?: CallOptions): Promise<void> {
    this.#guard.checkChange();
    this.hasGradients = false;
    this.changeCount++;
    return this.inner.load(folder, options, this.#guard.callOptions(call));
  }

  async export(folder: string, call?: CallOptions): Promise<void> {
    this.#guard.checkUse();
    return this.inner.export(folder, this.#guard.callOptions(call));
  }

  async publish(): Promise<PolicyVersion> {
    throw trainError(
      "policy-owned",
      `expected ${this.name} to be published through its policy, so that the version survives`,
      {
        hint: "call policy.publish()",
      },
    );
  }

  async release(): Promise<void> {
    throw trainError("policy-owned", `expected ${this.name} to be released through its policy`, {
      hint: "call policy.release()",
    });
  }
}
