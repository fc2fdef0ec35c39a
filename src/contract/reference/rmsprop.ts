/** RMSProp, uncentred, for one weight at a time, in float64, with PyTorch's meanings. */
import type { OptimizerMoments, OptimizerUpdate } from "./optimizer-state.ts";

/** @unit `learningRate` per step; the rest dimensionless */
export interface RmspropSettings {
  readonly learningRate: number;
  readonly alpha: number;
  readonly epsilon: number;
  readonly weightDecay: number;
  readonly momentum: number;
}

/**
 * v <- alpha v + (1 - alpha) g^2, from zero and without undoing the start: the first step is
 * g / (sqrt(1 - alpha) |g|), ten times the learning rate at alpha = 0.99. With momentum the
 * normalised gradient is gathered in b <- momentum b + g / (sqrt(v) + epsilon), and b is applied.
 */
export function rmspropUpdate(
  weight: number,
  rawGradient: number,
  moments: OptimizerMoments,
  settings: RmspropSettings,
): OptimizerUpdate {
  const gradient = rawGradient + settings.weightDecay * weight;
  const second = settings.alpha * moments.second + (1 - settings.alpha) * gradient * gradient;
  const normalised = gradient / (Math.sqrt(second) + settings.epsilon);
  const first = settings.momentum * moments.first + normalised;
  return {
    weight: weight - settings.learningRate * first,
    first: settings.momentum === 0 ? 0 : first,
    second,
  };
}
