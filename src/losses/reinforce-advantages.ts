/**
 * REINFORCE advantages: reward minus a baseline that does not depend on the row's own action, so that
 * the gradient stays unbiased and its variance falls. One reward per row; the result has one advantage
 * per row, which `withAdvantage` spreads over its tokens.
 */
import { lossInputError } from "./loss-input.ts";
import { meanOf } from "./statistics.ts";

/**
 * Reward minus a baseline over the whole batch. `batch-mean` contains the row itself, a bias that
 * shrinks with the batch; `leave-one-out` is the mean of the others.
 *
 * @shape `[B]` in and out
 * @paper arXiv:2402.14740v2 section 2.3 for leave-one-out, here over whatever batch is given
 */
export function reinforceAdvantages(
  rewards: readonly number[],
  baseline: "none" | "batch-mean" | "leave-one-out",
): Float64Array {
  switch (baseline) {
    case "none":
      return Float64Array.from(rewards);
    case "batch-mean": {
      const mean = meanOf(rewards);
      return Float64Array.from(rewards, (reward) => reward - mean);
    }
    case "leave-one-out":
      return leaveOneOut(rewards);
  }
}

/** A baseline that lives from batch to batch; JSON, so that it can be a state of a run. */
export type MovingAverage = {
  /** Null before the first batch. */
  readonly mean: number | null;
};

export const initialMovingAverage: MovingAverage = { mean: null };

/**
 * Reward minus the average of earlier batches. The batch enters the average afterwards, so the
 * baseline never saw the rewards that it is subtracted from; the first batch takes its own mean, for
 * want of anything better.
 *
 * @shape `[B]` in and out
 */
export function movingAverageAdvantages(
  rewards: readonly number[],
  options: { readonly average: MovingAverage; readonly decay: number },
): { readonly advantages: Float64Array; readonly average: MovingAverage } {
  const { decay } = options;
  if (!(decay >= 0 && decay < 1))
    throw lossInputError(`moving average: expected a decay in 0 .. 1, got ${decay}`);
  if (rewards.length === 0) return { advantages: new Float64Array(), average: options.average };
  const batchMean = meanOf(rewards);
  const baseline = options.average.mean ?? batchMean;
  return {
    advantages: Float64Array.from(rewards, (reward) => reward - baseline),
    average: { mean: decay * baseline + (1 - decay) * batchMean },
  };
}

/** n / (n - 1) times the distance to the mean; a reward without others to compare with has advantage 0. */
function leaveOneOut(rewards: readonly number[]): Float64Array {
  if (rewards.length < 2) return new Float64Array(rewards.length);
  const mean = meanOf(rewards);
  const factor = rewards.length / (rewards.length - 1);
  return Float64Array.from(rewards, (reward) => factor * (reward - mean));
}
