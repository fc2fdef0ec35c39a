/**
 * `crossEntropy`: -sum w l. The one primitive that every engine has: whatever has a gradient with
 * respect to log-probabilities can be written as this loss with weights = -gradient.
 */
import type { TokenInputs, TokenTerm } from "./token-term.ts";

/**
 * value = -w l, so d value / d l = -w: the gradient does not depend on l.
 */
export function crossEntropyTerm({ logprob, weight }: TokenInputs): TokenTerm {
  return { value: -weight * logprob, gradient: -weight };
}
