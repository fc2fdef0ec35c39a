/**
 * Promise 9: before the first update on fresh rows, the trainer's log-probabilities of the sampled
 * tokens are compared with those that the sampler gave. Measuring and judging are pure and lie in
 * `losses`; this asks the model and tells the step.
 */
import type { CallOptions } from "../base/index.ts";
import type { Datum, EngineDescription, Model } from "../contract/index.ts";
import {
  judgeMismatch,
  measureMismatch,
  mismatchMetrics,
  type Mismatch,
  type MismatchAlarmOptions,
} from "../losses/index.ts";
import type { Report } from "./report.ts";
import type { Step } from "./run.ts";

export interface MismatchCheckOptions {
  readonly model: Model;
  /** The engine's: its precision sets the threshold. */
  readonly description: Pick<EngineDescription, "precision">;
  /** Rows with `behaviorLogprobs`, as they will be trained on first. */
  readonly data: readonly Datum[];
  /** The trainer's log-probabilities of `data`, where they are known; left out, they are computed. */
  readonly logprobs?: readonly Float32Array[];
  readonly step: Pick<Step, "metric" | "signal">;
  readonly report: Pick<Report, "note">;
  /** Where the metrics stand on the horizontal axis. */
  readonly index: number;
  readonly alarm?: Omit<MismatchAlarmOptions, "precision">;
}

/** Records the gap as metrics of the step, and notes an alarm; call it before the first update. */
export async function checkMismatch(options: MismatchCheckOptions): Promise<Mismatch> {
  const { model, data, step, report, index } = options;
  const mismatch =
    options.logprobs === undefined
      ? await measureFresh(model, data, { signal: step.signal })
      : measureMismatch(data, options.logprobs);
  if (mismatch.kind === "empty") return mismatch;
  for (const [name, value] of Object.entries(mismatchMetrics(mismatch))) step.metric(name, index, value);
  const verdict = judgeMismatch(mismatch, { precision: options.description.precision, ...options.alarm });
  step.metric("mismatch/alarm", index, verdict.kind === "alarm" ? 1 : 0);
  if (verdict.kind === "alarm") report.note(`Alarm: ${verdict.message}`);
  return mismatch;
}

async function measureFresh(model: Model, data: readonly Datum[], call: CallOptions): Promise<Mismatch> {
  const fresh = data.filter(
    (datum) => datum.behaviorLogprobs !== undefined && datum.origin?.isReplayed !== true,
  );
  if (fresh.length === 0) return { kind: "empty" };
  return measureMismatch(fresh, (await model.forward(fresh, call)).logprobs);
}
