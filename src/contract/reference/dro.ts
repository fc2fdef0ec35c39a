/**
 * `dro`: -sum w (A l - beta/2 (l - q)^2). A policy gradient with a quadratic pull back to the
 * log-probabilities of the sampler.
 */
import type { TokenInputs, TokenTerm } from "./token-term.ts";

/**
 * d value / d l = -w (A - beta (l - q)): zero where l = q + A / beta.
 */
export function droTerm(inputs: TokenInputs, beta: number): TokenTerm {
  const { logprob, weight, advantage } = inputs;
  const difference = logprob - inputs.behaviorLogprob;
  return {
    value: -weight * (advantage * logprob - (beta / 2) * difference ** 2),
    gradient: -weight * (advantage - beta * difference),
  };
}
