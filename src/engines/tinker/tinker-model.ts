/**
 * A model of the engine contract on a server: checks calls, turns losses and steps into those of the wire, and reads
 * results. Where the server has no loss that is exactly the same, a call takes two passes in one turn.
 */
import { isSparError, throwIfAborted, type CallOptions } from "../../base/index.ts";
import {
  capabilityMissing,
  checkData,
  checkOptimizerParameters,
  engineError,
  modelReleased,
  referenceLoss,
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
import type { TrainingModel } from "./client/training-model.ts";
import { unexpectedAnswer } from "./errors.ts";
import { checkGradients } from "./losses/check-gradients.ts";
import { encodeForward, encodeLoss } from "./losses/encode-loss.ts";
import { encodeStep } from "./losses/encode-step.ts";
import { exportFolder } from "./export-folder.ts";
import { readState, saveFolder, type ModelOrigin } from "./state-folder.ts";
import type { EngineHost, PublishedVersion } from "./published.ts";
import type { PassOutput } from "./wire/data.ts";

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
  #versionCount = 0;
  #stepCount: number;
  /** Rows of the passes since the last step, those of the first one apart. */
  #rows: { readonly first: number; readonly total: number } | null = null;
  #isReleased = false;

  constructor(options: TinkerModelOptions) {
    this.#host = options.host;
    this.#server = options.server;
    this.#origin = options.origin;
    this.#stepCount = options.stepCount;
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
    return { logprobs: logprobsOf(await this.#server.pass(encodeForward(data), call), data) };
  }

  async forwardBackward(
    data: readonly Datum[],
    loss: BuiltInLoss,
    call?: CallOptions,
  ): Promise<ForwardBackwardResult> {
    this.#need(`loss:${loss.kind}`);
    this.#checkData(data, loss);
    const evaluate = (logprobs: readonly Float32Array[]): LossEvaluation =>
      referenceLoss(loss, logprobs, data);
    const calls = this.#server.calls;
    return calls.run(`forward_backward of ${this.name}`, call ?? {}, async () => {
      const pass = encodeLoss(loss, data, this.#host.connection.profile, this.#rowScale(data));
      if (pass === null) return this.#submitTwoPasses(data, evaluate);
      const output = await this.#added(data, () => this.#server.submitPass(pass));
      return async () => {
        const { rows, metrics } = await output();
        const logprobs = logprobsOf({ rows, metrics }, data);
        return { logprobs, loss: evaluate(logprobs).value, metrics };
      };
    });
  }

  async forwardBackwardCustom(
    data: readonly Datum[],
    loss: CustomLoss,
    call?: CallOptions,
  ): Promise<ForwardBackwardResult> {
    if ((loss.reads ?? []).length > 0) this.#need("one-pass-custom-loss");
    this.#checkData(data);
    const evaluate = (logprobs: readonly Float32Array[]): LossEvaluation => {
      const evaluation = loss.evaluate({ logprobs: logprobs.map((row) => Float64Array.from(row)) }, data);
      checkGradients(loss, evaluation, data);
      return evaluation;
    };
    const what = `forward_backward of ${this.name} with ${loss.name}`;
    return this.#server.calls.run(what, call ?? {}, () => this.#submitTwoPasses(data, evaluate));
  }

  async optimStep(parameters: OptimizerParameters, call?: CallOptions): Promise<OptimStepResult> {
    this.#checkAlive();
    this.#need(`optimizer:${parameters.kind}`);
    checkOptimizerParameters(parameters);
    const { profile } = this.#host.connection;
    encodeStep(parameters, profile, 1);
    return this.#server.calls.run(`optim_step of ${this.name}`, call ?? {}, async () => {
      if (this.#rows === null) {
        throw engineError("invalid-input", "expected gradients to apply, none have accumulated", {
          hint: "call forwardBackward before optimStep",
        });
      }
      const { first, total } = this.#rows;
      const factor = profile.reduction === "row-mean" ? first / total : 1;
      const metrics = await this.#server.submitStep(encodeStep(parameters, profile, factor));
      this.#rows = null;
      this.#stepCount += 1;
      const stepCount = this.#stepCount;
      return async () => stepResult(await metrics(), stepCount);
    });
  }

  async discardGradients(call?: CallOptions): Promise<void> {
    this.#checkAlive();
    this.#need("discard-gradients");
    await this.#server.discardGradients(call, () => {
      this.#rows = null;
    });
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
      const path = await this.#server.saveState(states === null ? {} : { folder: states }, call);
      throwIfAborted(call?.signal, { boundary: "engine", what: `the save of ${this.name}` });
      return { path, ...this.#origin, stepCount: this.#stepCount };
    });
  }

  async load(folder: string, options: LoadOptions = {}, call?: CallOptions): Promise<void> {
    this.#checkAlive();
    const state = await readState(folder);
    const includeOptimizer = options.includeOptimizer ?? true;
    try {
      await this.#server.load(state.path, includeOptimizer, call, () => {
        this.#rows = null;
        this.#stepCount = includeOptimizer ? state.stepCount : 0;
      });
    } catch (thrown) {
      throw stateGone(thrown, folder, state.path);
    }
  }

  async export(folder: string, call?: CallOptions): Promise<void> {
    this.#checkAlive();
    await exportFolder(folder, this.#host.connection, (part) => this.#server.exportTo(part, call));
  }

  async release(call?: CallOptions): Promise<void> {
    if (this.#isReleased) return;
    this.#host.connection.checkOpen();
    const unloaded = this.#server.unload(call);
    this.#isReleased = true;
    this.#host.released(this.name);
    await unloaded;
  }

  /** Forward, the gradient here, and crossEntropy with weights of minus the gradient, before anything else is sent. */
  async #submitTwoPasses(
    data: readonly Datum[],
    evaluate: (logprobs: readonly Float32Array[]) => LossEvaluation,
  ): Promise<() => Promise<ForwardBackwardResult>> {
    const forward = await this.#server.submitPass(encodeForward(data));
    const logprobs = logprobsOf(await forward(), data);
    const evaluation = evaluate(logprobs);
    const weighted = data.map((datum, row) => ({
      ...datum,
      weights: Float32Array.from(
        evaluation.gradients.logprobs?.[row] ?? datum.weights,
        (gradient) => -gradient,
      ),
    }));
    const loss: BuiltInLoss = { kind: "crossEntropy" };
    const pass = encodeLoss(loss, weighted, this.#host.connection.profile, this.#rowScale(data));
    if (pass === null) throw capabilityMissing("tinker", "loss:crossEntropy");
    const output = await this.#added(data, () => this.#server.submitPass(pass));
    return async () => {
      await output();
      return { logprobs, loss: evaluation.value, metrics: evaluation.metrics };
    };
  }

  /** Counts rows whose gradients the server has, or will have. */
  async #added(
    data: readonly Datum[],
    submit: () => Promise<() => Promise<PassOutput>>,
  ): Promise<() => Promise<PassOutput>> {
    const wait = await submit();
    const before = this.#rows;
    const first = before?.first ?? data.length;
    this.#rows = { first, total: (before?.total ?? 0) + data.length };
    const counted = this.#rows;
    const result = wait();
    result.catch(() => {
      if (this.#rows === counted) this.#rows = before;
    });
    return async () => result;
  }

  /** The number of rows by which the server will divide, as far as it is known now. */
  #rowScale(data: readonly Datum[]): number {
    return this.#rows?.first ?? data.length;
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

/** One log-probability per target. @throws `unexpected-answer` */
function logprobsOf(output: PassOutput, data: readonly Datum[]): Float32Array[] {
  return data.map(({ targets }, row) => {
    const logprobs = output.rows[row]?.["logprobs"];
    if (logprobs?.length === targets.length) return logprobs;
    throw unexpectedAnswer(
      `row ${row} of a pass`,
      `${targets.length} log-probabilities`,
      logprobs === undefined ? "none" : String(logprobs.length),
    );
  });
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
