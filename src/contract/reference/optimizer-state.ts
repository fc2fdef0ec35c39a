/** What the reference optimizers carry from step to step. Plain data. */
import type { OptimizerKind } from "../optimizers.ts";

/** The moments of one weight. */
export interface OptimizerMoments {
  /** Adam's first moment; the momentum buffer of the others. */
  readonly first: number;
  /** The smoothed square of the gradient; zero for sgd. */
  readonly second: number;
}

/** What one step makes of one weight. */
export interface OptimizerUpdate extends OptimizerMoments {
  readonly weight: number;
}

/**
 * The state of an optimizer over a flat array of N weights.
 *
 * @shape first, second: `[N]`
 */
export interface OptimizerState {
  /** Null before the first step. */
  readonly kind: OptimizerKind | null;
  /** Steps taken with these moments. */
  readonly stepCount: number;
  readonly first: Float64Array;
  readonly second: Float64Array;
}

/** The state before the first step. */
export function initialOptimizerState(weightCount: number): OptimizerState {
  return {
    kind: null,
    stepCount: 0,
    first: new Float64Array(weightCount),
    second: new Float64Array(weightCount),
  };
}
