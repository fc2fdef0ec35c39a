/**
 * `cispo`: -sum w sg(clip(r, low, high)) A l, r = exp(l - q), where sg stops the gradient. Unlike
 * `ppo`, no token loses its gradient: the clip bounds its size alone.
 */
import type { TokenInputs, TokenTerm } from "./token-term.ts";

/**
 * The clipped ratio c counts as a constant, so d value / d l = -w c A. A plain finite difference of
 * the value sees c move as well; the check freezes c first.
 *
 * @paper arXiv:2506.13585v1 eq. 4-5; a sum over tokens, not a mean
 */
export function cispoTerm(inputs: TokenInputs, clipLow: number, clipHigh: number): TokenTerm {
  const ratio = Math.exp(inputs.logprob - inputs.behaviorLogprob);
  const clipped = Math.min(Math.max(ratio, clipLow), clipHigh);
  const gradient = -inputs.weight * clipped * inputs.advantage;
  return { value: gradient * inputs.logprob, gradient };
}
