/**
 * Estimators of KL(p || reference) from one token drawn from p, after John Schulman's note
 * "Approximating KL divergence". With d = log p - log reference:
 *
 * | name | value | | |
 * |---|---|---|---|
 * | k1 | d | unbiased | as a loss its expected gradient is zero, since E[grad log p] = 0 |
 * | k2 | d^2 / 2 | biased, small | its gradient d grad log p is that of the KL, unbiased |
 * | k3 | e^-d - 1 + d | unbiased, never negative | its gradient (1 - e^-d) grad log p is that of KL(reference || p) |
 *
 * So k1 and k3 are numbers to watch or to put into a reward; k2 is the one whose gradient is right.
 */

export type KlEstimator = "k1" | "k2" | "k3";

export const klEstimators: readonly KlEstimator[] = ["k1", "k2", "k3"];

export interface KlEstimate {
  /** @unit nats */
  readonly value: number;
  /** d value / d log p of the token. */
  readonly gradient: number;
}

/** The estimate for one token. */
export function klEstimate(estimator: KlEstimator, logprob: number, referenceLogprob: number): KlEstimate {
  const difference = logprob - referenceLogprob;
  switch (estimator) {
    case "k1":
      return { value: difference, gradient: 1 };
    case "k2":
      return { value: difference ** 2 / 2, gradient: difference };
    case "k3":
      // expm1 keeps the digits where policy and reference are close, which is where they should be.
      return { value: Math.expm1(-difference) + difference, gradient: -Math.expm1(-difference) };
  }
}
