/** Gradient descent with momentum for one weight at a time, in float64, with PyTorch's meanings. */
import type { OptimizerMoments, OptimizerUpdate } from "./optimizer-state.ts";

/** @unit `learningRate` per step; the rest dimensionless */
export interface SgdSettings {
  readonly learningRate: number;
  readonly weightDecay: number;
  readonly momentum: number;
}

/** b <- momentum b + g, no dampening; weight <- weight - learningRate b. */
export function sgdUpdate(
  weight: number,
  rawGradient: number,
  moments: OptimizerMoments,
  settings: SgdSettings,
): OptimizerUpdate {
  const first = settings.momentum * moments.first + rawGradient + settings.weightDecay * weight;
  return {
    weight: weight - settings.learningRate * first,
    first: settings.momentum === 0 ? 0 : first,
    second: 0,
  };
}
