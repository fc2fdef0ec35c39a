/**
 * `ppo`: -sum w min(r A, clip(r, low, high) A), r = exp(l - q). The pessimistic one of two readings:
 * a ratio that already went far in the direction that the advantage asks for gives no more gradient.
 */
import type { TokenInputs, TokenTerm } from "./token-term.ts";

/**
 * clip(r) A is the smaller one only where r > high with A > 0, or r < low with A < 0; there the
 * value is constant in l and the gradient zero. Everywhere else, the borders included, the minimum
 * is r A and the gradient is -w r A. In particular r > high with A < 0 is not clipped: a bad token
 * that became more likely is pushed down with full force.
 *
 * @paper arXiv:1707.06347v2 eq. 7; a sum over tokens, not a mean
 */
export function ppoTerm(inputs: TokenInputs, clipLow: number, clipHigh: number): TokenTerm {
  const { weight, advantage } = inputs;
  const ratio = Math.exp(inputs.logprob - inputs.behaviorLogprob);
  const isClipped = advantage > 0 ? ratio > clipHigh : ratio < clipLow;
  if (isClipped && advantage !== 0) {
    return { value: -weight * (advantage > 0 ? clipHigh : clipLow) * advantage, gradient: 0 };
  }
  const value = -weight * ratio * advantage;
  return { value, gradient: value };
}
