/**
 * The shape that the five reference losses share: each is a sum over tokens, so its file holds the
 * term of one token alone, as value and derivative with respect to that token's log-probability.
 * Everything is float64. Knows no batch: `reference-loss.ts` adds the terms up.
 */

/** What a token brings along. @unit nats for the two log-probabilities */
export interface TokenInputs {
  /** l: log-probability of the target under the weights that are trained. */
  readonly logprob: number;
  /** w: zero where the token is not trained. */
  readonly weight: number;
  /** A: zero for losses without advantages. */
  readonly advantage: number;
  /** q: log-probability as the sampler gave it. */
  readonly behaviorLogprob: number;
}

/** One token's share of the loss, and its derivative with respect to `logprob`. */
export interface TokenTerm {
  readonly value: number;
  readonly gradient: number;
}
