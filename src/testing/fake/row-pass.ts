/**
 * One training row through the fake network: outputs that a loss reads, and the way back from
 * gradients of those outputs to gradients of the weights.
 */
import type { Datum, LossEvaluation } from "../../contract/index.ts";
import {
  backwardPass,
  forwardPass,
  positionInputs,
  type Activations,
  type Network,
  type PositionInput,
} from "./network.ts";

export interface RowPass {
  readonly datum: Datum;
  readonly inputs: readonly PositionInput[];
  readonly activations: Activations;
  /** @shape each `[T]` @unit nats */
  readonly logprobs: Float64Array;
  readonly entropies: Float64Array;
  readonly values: Float64Array;
}

export function runRow(network: Network, datum: Datum): RowPass {
  const inputs = positionInputs(datum.input);
  const activations = forwardPass(network, inputs);
  const logprobs = Float64Array.from(
    activations.logprobs,
    (row, position) => row[datum.targets[position] ?? 0] ?? 0,
  );
  const entropies = Float64Array.from(activations.logprobs, entropyOf);
  return { datum, inputs, activations, logprobs, entropies, values: activations.values };
}

/**
 * Adds one row's gradient. With p the probabilities and H the entropy of a position:
 * d logprob(target) / d logit_k = [k = target] - p_k, and d H / d logit_k = -p_k (log p_k + H).
 */
export function backwardRow(
  network: Network,
  pass: RowPass,
  evaluation: LossEvaluation,
  row: number,
  gradient: Float64Array,
): void {
  const byLogprob = evaluation.gradients.logprobs?.[row];
  const byEntropy = evaluation.gradients.entropies?.[row];
  const logits = pass.activations.logprobs.map((logprobs, position) => {
    const logprobGradient = byLogprob?.[position] ?? 0;
    const entropyGradient = byEntropy?.[position] ?? 0;
    const entropy = pass.entropies[position] ?? 0;
    const target = pass.datum.targets[position];
    return logprobs.map((logprob, tokenId) => {
      const probability = Math.exp(logprob);
      const hit = tokenId === target ? 1 : 0;
      return logprobGradient * (hit - probability) - entropyGradient * probability * (logprob + entropy);
    });
  });
  const values = evaluation.gradients.values?.[row] ?? new Float64Array(pass.values.length);
  backwardPass(network, pass.inputs, pass.activations, { logits, values }, gradient);
}

function entropyOf(logprobs: Float64Array): number {
  return -logprobs.reduce((sum, logprob) => sum + Math.exp(logprob) * logprob, 0);
}
