/**
 * Entropy bonuses as terms of custom losses: both lower the loss by coefficient * entropy. The exact
 * one reads the entropy of every position and needs an engine with one-pass custom losses; the
 * sampled one works everywhere and is noisy. They have different names, so neither is mistaken for
 * the other.
 */
import type { CustomLoss } from "../contract/index.ts";
import { lossInputError } from "./loss-input.ts";

export interface EntropyTermOptions {
  /** Per token; a mean over the batch is this divided by the global count of tokens. */
  readonly coefficient: number;
}

/**
 * -coefficient * sum of w H, with H the entropy of the distribution at the position.
 *
 * @unit nats
 */
export function entropyTerm({ coefficient }: EntropyTermOptions): CustomLoss {
  checkCoefficient("entropy", coefficient);
  return {
    name: "entropy",
    reads: ["entropies"],
    evaluate: ({ entropies }, data) => {
      if (entropies === undefined) throw lossInputError("entropy: expected entropies of every row, got none");
      let sum = 0;
      let weights = 0;
      const gradients = data.map((datum, row) =>
        Float64Array.from(datum.weights, (weight, position) => {
          if (weight === 0) return 0;
          sum += weight * (entropies[row]?.[position] ?? 0);
          weights += weight;
          return -coefficient * weight;
        }),
      );
      const metrics = { "entropy/exact/sum": sum, "entropy/weight/sum": weights };
      return { value: -coefficient * sum, gradients: { entropies: gradients }, metrics };
    },
  };
}

/**
 * The same from the sampled tokens alone: H is estimated by -log p(token).
 *
 * The gradient of H is -E[(log p + 1) grad log p] = -E[log p grad log p], since E[grad log p] = 0. So
 * the gradient of the term is coefficient * w * log p per token, with log p held constant as a factor:
 * the plain derivative of the estimate, a constant, would have expectation zero.
 *
 * @remarks right for tokens that the current policy drew at temperature 1
 */
export function sampledEntropyTerm({ coefficient }: EntropyTermOptions): CustomLoss {
  checkCoefficient("sampledEntropy", coefficient);
  return {
    name: "sampledEntropy",
    evaluate: ({ logprobs }, data) => {
      let sum = 0;
      let weights = 0;
      const gradients = data.map((datum, row) =>
        Float64Array.from(datum.weights, (weight, position) => {
          if (weight === 0) return 0;
          const logprob = logprobs[row]?.[position] ?? 0;
          sum -= weight * logprob;
          weights += weight;
          return coefficient * weight * logprob;
        }),
      );
      const metrics = { "sampledEntropy/estimate/sum": sum, "sampledEntropy/weight/sum": weights };
      return { value: -coefficient * sum, gradients: { logprobs: gradients }, metrics };
    },
  };
}

function checkCoefficient(name: string, coefficient: number): void {
  if (!Number.isFinite(coefficient))
    throw lossInputError(`${name}: expected a finite coefficient, got ${coefficient}`);
}
