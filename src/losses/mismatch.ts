/**
 * The gap between sampler and trainer (promise 9): how far the trainer's log-probabilities l of
 * sampled tokens are from those that the sampler gave, q. Measured on fresh rows, before the first
 * update on them, where both should be the same numbers. Knows no engine; `mismatch-alarm.ts` judges.
 */
import { assert } from "../base/index.ts";
import type { Datum } from "../contract/index.ts";
import { meanOf, quantileOf } from "./statistics.ts";

/** @unit nats, but for the ratios */
export interface MeasuredMismatch {
  readonly kind: "measured";
  readonly tokenCount: number;
  /** mean of |l - q| */
  readonly meanAbsolute: number;
  readonly maxAbsolute: number;
  /** KL(sampler || trainer) as mean of q - l. */
  readonly klK1: number;
  /** The same as mean of e^(l - q) - 1 - (l - q): never negative, less noisy. */
  readonly klK3: number;
  /** Quantiles of the ratio e^(l - q), by share. */
  readonly ratioQuantiles: { readonly p1: number; readonly p50: number; readonly p99: number };
}

/** `empty`: no fresh row had sampled tokens. */
export type Mismatch = MeasuredMismatch | { readonly kind: "empty" };

/**
 * Compares over the trained tokens (weight not 0) of rows that carry `behaviorLogprobs` and are not
 * replayed.
 *
 * @shape trainerLogprobs `[B][T]`, as `forward` gives them
 */
export function measureMismatch(
  data: readonly Datum[],
  trainerLogprobs: readonly ArrayLike<number>[],
): Mismatch {
  assert(
    trainerLogprobs.length === data.length,
    `expected ${data.length} rows of log-probabilities, got ${trainerLogprobs.length}`,
  );
  const differences = data.flatMap((datum, row) => freshDifferences(datum, trainerLogprobs[row] ?? []));
  if (differences.length === 0) return { kind: "empty" };
  const absolute = differences.map(Math.abs);
  const ratios = Float64Array.from(differences, Math.exp).toSorted();
  return {
    kind: "measured",
    tokenCount: differences.length,
    meanAbsolute: meanOf(absolute),
    maxAbsolute: absolute.reduce((most, difference) => Math.max(most, difference), 0),
    klK1: -meanOf(differences),
    klK3: meanOf(differences.map((difference) => Math.expm1(difference) - difference)),
    ratioQuantiles: {
      p1: quantileOf(ratios, 0.01),
      p50: quantileOf(ratios, 0.5),
      p99: quantileOf(ratios, 0.99),
    },
  };
}

/** The numbers under the names by which runs record them. */
export function mismatchMetrics(mismatch: MeasuredMismatch): Record<string, number> {
  return {
    "mismatch/tokens/count": mismatch.tokenCount,
    "mismatch/logprob/meanAbsolute": mismatch.meanAbsolute,
    "mismatch/logprob/maxAbsolute": mismatch.maxAbsolute,
    "mismatch/kl/k1": mismatch.klK1,
    "mismatch/kl/k3": mismatch.klK3,
    "mismatch/ratio/p1": mismatch.ratioQuantiles.p1,
    "mismatch/ratio/p50": mismatch.ratioQuantiles.p50,
    "mismatch/ratio/p99": mismatch.ratioQuantiles.p99,
  };
}

/** l - q of the tokens that count. */
function freshDifferences(datum: Datum, logprobs: ArrayLike<number>): number[] {
  const { behaviorLogprobs } = datum;
  if (behaviorLogprobs === undefined || datum.origin?.isReplayed === true) return [];
  return [...datum.weights.keys()]
    .filter((position) => datum.weights[position] !== 0)
    .map((position) => (logprobs[position] ?? Number.NaN) - (behaviorLogprobs[position] ?? Number.NaN));
}
