/**
 * How gradients come to be on a server: a built-in loss is one pass where the server has exactly that sum, else two in
 * one turn. What has accumulated since the last step is counted here. Methods are called when it is the model's turn;
 * custom losses are in `custom-passes.ts`.
 */
import {
  capabilityMissing,
  referenceLoss,
  type BuiltInLoss,
  type Datum,
  type ForwardBackwardResult,
  type LossEvaluation,
} from "../../contract/index.ts";
import type { Profile } from "./client/profile.ts";
import type { Pass } from "./client/submissions.ts";
import type { TrainingModel } from "./client/training-model.ts";
import { unexpectedAnswer } from "./errors.ts";
import { encodeForward, encodeLoss } from "./losses/encode-loss.ts";
import type { PassOutput } from "./wire/data.ts";

type Waiting<T> = () => Promise<T>;

export class GradientPasses {
  readonly server: TrainingModel;
  readonly #profile: Profile;
  /** Rows of the passes since the last step, those of the first one apart. */
  #rows: { readonly first: number; readonly total: number } | null = null;

  constructor(server: TrainingModel, profile: Profile) {
    this.server = server;
    this.#profile = profile;
  }

  /** What a gradient is too small by on the server, since the rows to divide by are known with the step; null without. */
  get scale(): number | null {
    if (this.#rows === null) return null;
    return this.#profile.reduction === "row-mean" ? this.#rows.first / this.#rows.total : 1;
  }

  /** They were applied or dropped. */
  clear(): void {
    this.#rows = null;
  }

  async submit(data: readonly Datum[], loss: BuiltInLoss): Promise<Waiting<ForwardBackwardResult>> {
    const evaluate = (logprobs: readonly Float32Array[]): LossEvaluation =>
      referenceLoss(loss, logprobs, data);
    const pass = encodeLoss(loss, data, this.#profile, this.#rowScale(data));
    if (pass === null) return this.#submitTwoPasses(data, evaluate);
    const output = await this.add(data.length, pass);
    return async () => {
      const { rows, metrics } = await output();
      const logprobs = outputOf("logprobs", { rows, metrics }, data);
      return { logprobs, loss: evaluate(logprobs).value, metrics };
    };
  }

  /** The gradient of a loss by log-probabilities: crossEntropy with weights of minus the gradient. */
  async addLogprobGradients(
    data: readonly Datum[],
    gradients: readonly Float64Array[],
  ): Promise<Waiting<PassOutput>> {
    const weighted = data.map((datum, row) => ({
      ...datum,
      weights: Float32Array.from(gradients[row] ?? [], (gradient) => -gradient),
    }));
    const pass = encodeLoss({ kind: "crossEntropy" }, weighted, this.#profile, this.#rowScale(data));
    if (pass === null) throw capabilityMissing("tinker", "loss:crossEntropy");
    return this.add(data.length, pass);
  }

  /** Sends a pass with gradients, and counts its rows unless it fails. */
  async add(rowCount: number, pass: Pass): Promise<Waiting<PassOutput>> {
    const wait = await this.server.submitPass(pass);
    const before = this.#rows;
    const counted = { first: before?.first ?? rowCount, total: (before?.total ?? 0) + rowCount };
    this.#rows = counted;
    const result = wait();
    result.catch(() => {
      if (this.#rows === counted) this.#rows = before;
    });
    return async () => result;
  }

  /** Forward, the gradient here, and a second pass, before anything else is sent. */
  async #submitTwoPasses(
    data: readonly Datum[],
    evaluate: (logprobs: readonly Float32Array[]) => LossEvaluation,
  ): Promise<Waiting<ForwardBackwardResult>> {
    const forward = await this.server.submitPass(encodeForward(data));
    const logprobs = outputOf("logprobs", await forward(), data);
    const { value, gradients, metrics } = evaluate(logprobs);
    const output = await this.addLogprobGradients(data, gradients.logprobs ?? []);
    return async () => {
      await output();
      return { logprobs, loss: value, metrics };
    };
  }

  /** The number of rows by which the server will divide, as far as it is known now. */
  #rowScale(data: readonly Datum[]): number {
    return this.#rows?.first ?? data.length;
  }
}

/** One number per target. @throws `unexpected-answer` */
export function outputOf(
  name: "logprobs" | "entropies" | "values",
  output: PassOutput,
  data: readonly Datum[],
): Float32Array[] {
  return data.map(({ targets }, row) => {
    const numbers = output.rows[row]?.[name];
    if (numbers?.length === targets.length) return numbers;
    throw unexpectedAnswer(
      `row ${row} of a pass`,
      `${targets.length} numbers of output ${name}`,
      numbers === undefined ? "none" : String(numbers.length),
    );
  });
}
