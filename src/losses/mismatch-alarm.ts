/** Judges the gap between sampler and trainer: from which size on it is a fault and no rounding. */
import type { EngineDescription } from "../contract/index.ts";
import type { Mismatch } from "./mismatch.ts";

export interface MismatchAlarmOptions {
  /** Precision of the sampler. */
  readonly precision: EngineDescription["precision"];
  /** True where the sampler's weights are quantised, whatever it computes in. Default false. */
  readonly isQuantized?: boolean;
  /** Mean absolute difference of a run that was known to be clean, where one was measured. @unit nats */
  readonly cleanMeanAbsolute?: number;
}

export type MismatchVerdict =
  | { readonly kind: "quiet"; readonly thresholdNats: number }
  | { readonly kind: "alarm"; readonly thresholdNats: number; readonly message: string };

/** What float32 and better may differ by. @unit nats */
const fineThresholdNats = 1e-3;
/** The least that coarser arithmetic is allowed. @unit nats */
const coarseThresholdNats = 1e-2;
const cleanRunFactor = 3;

/**
 * The threshold on the mean absolute difference: 1e-3 for float32; elsewhere three times a measured
 * clean run, at least 1e-2.
 *
 * @unit nats
 */
export function mismatchThresholdNats(options: MismatchAlarmOptions): number {
  const isFine = options.precision !== "bfloat16" && options.isQuantized !== true;
  if (isFine) return fineThresholdNats;
  return Math.max(coarseThresholdNats, cleanRunFactor * (options.cleanMeanAbsolute ?? 0));
}

/** An alarm where the mean absolute difference passes the threshold, or is no number at all. */
export function judgeMismatch(mismatch: Mismatch, options: MismatchAlarmOptions): MismatchVerdict {
  const thresholdNats = mismatchThresholdNats(options);
  if (mismatch.kind === "empty" || mismatch.meanAbsolute <= thresholdNats)
    return { kind: "quiet", thresholdNats };
  return {
    kind: "alarm",
    thresholdNats,
    message: `sampler and trainer differ by ${mismatch.meanAbsolute.toPrecision(3)} nats per token on average (largest ${mismatch.maxAbsolute.toPrecision(3)}), expected at most ${thresholdNats}: the sampler may hold other weights or another precision`,
  };
}
