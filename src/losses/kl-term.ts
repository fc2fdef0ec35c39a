/**
 * A pull to a reference policy as a term of a custom loss. Reference log-probabilities come as a
 * constant of the row, computed once per row and version; they have no gradient.
 */
import type { CustomLoss, Datum } from "../contract/index.ts";
import { klEstimate, type KlEstimator } from "./kl-estimators.ts";
import { arrayOf, lossInputError } from "./loss-input.ts";

export interface KlTermOptions {
  /** Default `kl`: heads the metrics. */
  readonly name?: string;
  readonly estimator: KlEstimator;
  /** Per token; a mean over the batch is this divided by the global count of tokens. */
  readonly coefficient: number;
  /** A constant with one further factor per target, for coefficients that differ by token. */
  readonly coefficientConstant?: string;
  /** The constant with the reference's log-probability per target. Default `referenceLogprob`. */
  readonly referenceConstant?: string;
}

/**
 * sum over tokens of coefficient * w * k(log p - log reference).
 *
 * @remarks see `klEstimators` for whose gradient means what
 * @throws `invalid-input` from `evaluate` for rows without the constants
 */
export function klTerm(options: KlTermOptions): CustomLoss {
  const { coefficient, name = "kl", referenceConstant = "referenceLogprob" } = options;
  if (!Number.isFinite(coefficient))
    throw lossInputError(`${name}: expected a finite coefficient, got ${coefficient}`);
  return {
    name,
    evaluate: ({ logprobs }, data) => {
      let value = 0;
      let estimates = 0;
      let weights = 0;
      const gradients = data.map((datum, row) => {
        const reference = arrayOf(datum, referenceConstant, row);
        const factors = factorsOf(datum, row, options.coefficientConstant);
        return datum.targets.reduce((gradient, _target, position) => {
          const weight = datum.weights[position] ?? 0;
          if (weight === 0) return gradient;
          const estimate = klEstimate(
            options.estimator,
            logprobs[row]?.[position] ?? 0,
            reference[position] ?? 0,
          );
          const scale = coefficient * factors(position) * weight;
          value += scale * estimate.value;
          estimates += weight * estimate.value;
          weights += weight;
          gradient[position] = scale * estimate.gradient;
          return gradient;
        }, new Float64Array(datum.targets.length));
      });
      const metrics = { [`${name}/${options.estimator}/sum`]: estimates, [`${name}/weight/sum`]: weights };
      return { value, gradients: { logprobs: gradients }, metrics };
    },
  };
}

function factorsOf(
  datum: Datum,
  row: number,
  constantName: string | undefined,
): (position: number) => number {
  if (constantName === undefined) return () => 1;
  const factors = arrayOf(datum, constantName, row);
  return (position) => factors[position] ?? 0;
}
