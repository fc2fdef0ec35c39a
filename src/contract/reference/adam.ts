/** Adam and AdamW for one weight at a time, in float64, with PyTorch's meanings. */
import type { OptimizerMoments, OptimizerUpdate } from "./optimizer-state.ts";

/** @unit `learningRate` per step; the rest dimensionless */
export interface AdamSettings {
  readonly learningRate: number;
  readonly beta1: number;
  readonly beta2: number;
  readonly epsilon: number;
  readonly weightDecay: number;
}

/**
 * First moment m <- beta1 m + (1 - beta1) g, second v <- beta2 v + (1 - beta2) g^2; both start at
 * zero, so m / (1 - beta1^t) and v / (1 - beta2^t) undo the start. Step: m^ / (sqrt(v^) + epsilon).
 * Adam adds weightDecay * weight to g; AdamW shrinks the weight by learningRate * weightDecay first
 * and leaves the moments alone.
 *
 * @paper arXiv:1412.6980v9 algorithm 1; AdamW: arXiv:1711.05101v3 algorithm 2, where the decay is
 * scaled by the learning rate as PyTorch does
 */
export function adamUpdate(
  weight: number,
  rawGradient: number,
  moments: OptimizerMoments,
  options: { readonly settings: AdamSettings; readonly isDecoupled: boolean; readonly stepCount: number },
): OptimizerUpdate {
  const { learningRate, beta1, beta2, epsilon, weightDecay } = options.settings;
  const gradient = options.isDecoupled ? rawGradient : rawGradient + weightDecay * weight;
  const decayed = options.isDecoupled ? weight * (1 - learningRate * weightDecay) : weight;
  const first = beta1 * moments.first + (1 - beta1) * gradient;
  const second = beta2 * moments.second + (1 - beta2) * gradient * gradient;
  const firstUnbiased = first / (1 - beta1 ** options.stepCount);
  const secondUnbiased = second / (1 - beta2 ** options.stepCount);
  return {
    weight: decayed - (learningRate * firstUnbiased) / (Math.sqrt(secondUnbiased) + epsilon),
    first,
    second,
  };
}
