/**
 * `importanceSampling`: -sum w exp(l - q) A. The policy gradient for tokens that other weights (q)
 * drew. Where l = q its gradient is that of REINFORCE, -w A.
 */
import type { TokenInputs, TokenTerm } from "./token-term.ts";

/**
 * With r = exp(l - q): d r / d l = r, so value and gradient are the same number, -w r A.
 */
export function importanceSamplingTerm(inputs: TokenInputs): TokenTerm {
  const ratio = Math.exp(inputs.logprob - inputs.behaviorLogprob);
  const value = -inputs.weight * ratio * inputs.advantage;
  return { value, gradient: value };
}
