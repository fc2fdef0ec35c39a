/**
 * Entropy bonuses as terms of custom losses: both lower the loss by coefficient * entropy. The exact
 * one reads the entropy of every position and needs an engine with one-pass custom losses; the
 * sampled one works everywhere and is noisy. They have different names, so neither is mistaken for
 * the other.
 */
import type { CustomLoss, Datum } from "../contract/index.ts";
import { lossInputError } from "./loss-input.ts";

export interface EntropyTermOptions {
  /** Per token, one for all rows or by row; a mean over the batch is this divided by the global count of tokens. */
  readonly coefficient: number | ((datum: Datum) => number);
}

/**
 * -sum of coefficient w H, with H the entropy of the distribution at the position.
 *
 * @unit nats
 */
export function entropyTerm({ coefficient }: EntropyTermOptions): CustomLoss {
  const coefficientOf = checkedCoefficient("entropy", coefficient);
  return {
    name: "entropy",
    reads: ["entropies"],
    evaluate: ({ entropies }, data) => {
      if (entropies === undefined) throw lossInputError("entropy: expected entropies of every row, got none");
      let [value, sum, weights] = [0, 0, 0];
      const gradients = data.map((datum, row) => {
        const factor = coefficientOf(datum);
        return Float64Array.from(datum.weights, (weight, position) => {
          if (weight === 0) return 0;
          const entropy = entropies[row]?.[position] ?? 0;
          sum += weight * entropy;
          weights += weight;
          value -= factor * weight * entropy;
          return -factor * weight;
        });
      });
      const metrics = { "entropy/exact/sum": sum, "entropy/weight/sum": weights };
      return { value, gradients: { entropies: gradients }, metrics };
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
  const coefficientOf = checkedCoefficient("sampledEntropy", coefficient);
  return {
    name: "sampledEntropy",
    evaluate: ({ logprobs }, data) => {
      let [value, sum, weights] = [0, 0, 0];
      const gradients = data.map((datum, row) => {
        const factor = coefficientOf(datum);
        return Float64Array.from(datum.weights, (weight, position) => {
          if (weight === 0) return 0;
          const logprob = logprobs[row]?.[position] ?? 0;
          sum -= weight * logprob;
          weights += weight;
          value += factor * weight * logprob;
          return factor * weight * logprob;
        });
      });
      const metrics = { "sampledEntropy/estimate/sum": sum, "sampledEntropy/weight/sum": weights };
      return { value, gradients: { logprobs: gradients }, metrics };
    },
  };
}

function checkedCoefficient(
  name: string,
  coefficient: EntropyTermOptions["coefficient"],
): (datum: Datum) => number {
  const check = (value: number): number => {
    if (Number.isFinite(value)) return value;
    throw lossInputError(`${name}: expected a finite coefficient, got ${value}`);
  };
  if (typeof coefficient === "function") return (datum) => check(coefficient(datum));
  check(coefficient);
  return () => coefficient;
}
