/**
 * Value and gradient of a built-in loss in float64, from log-probabilities and datums: what every
 * engine is compared with, and what turns a built-in loss into a term of a custom one. Slow and
 * plain on purpose. Checks nothing: that is `checkDatum`.
 */
import { assert } from "../../base/index.ts";
import type { Datum } from "../inputs.ts";
import type { BuiltInLoss, LossEvaluation } from "../losses.ts";
import { cispoTerm } from "./cispo.ts";
import { crossEntropyTerm } from "./cross-entropy.ts";
import { droTerm } from "./dro.ts";
import { importanceSamplingTerm } from "./importance-sampling.ts";
import { ppoTerm } from "./ppo.ts";
import type { TokenInputs, TokenTerm } from "./token-term.ts";

/**
 * The loss summed over all tokens of all rows. A token of weight 0 adds exactly nothing, whatever
 * its log-probability is.
 *
 * @shape logprobs `[B][T]` in, gradients.logprobs `[B][T]` out; rows may differ in T
 * @unit nats
 */
export function referenceLoss(
  loss: BuiltInLoss,
  logprobs: readonly ArrayLike<number>[],
  data: readonly Datum[],
): LossEvaluation {
  assert(
    logprobs.length === data.length,
    `expected ${data.length} rows of log-probabilities, got ${logprobs.length}`,
  );
  let value = 0;
  const gradients = data.map((datum, row) => {
    const rowLogprobs = logprobs[row] ?? [];
    assert(
      rowLogprobs.length === datum.targets.length,
      `row ${row}: expected ${datum.targets.length} log-probabilities, got ${rowLogprobs.length}`,
    );
    const gradient = new Float64Array(datum.targets.length);
    for (let position = 0; position < gradient.length; position++) {
      const inputs = tokenInputs(datum, rowLogprobs, position);
      if (inputs.weight === 0) continue;
      const term = referenceTerm(loss, inputs);
      value += term.value;
      gradient[position] = term.gradient;
    }
    return gradient;
  });
  return { value, gradients: { logprobs: gradients }, metrics: {} };
}

/** The term of one token under any of the five losses. */
export function referenceTerm(loss: BuiltInLoss, inputs: TokenInputs): TokenTerm {
  switch (loss.kind) {
    case "crossEntropy":
      return crossEntropyTerm(inputs);
    case "importanceSampling":
      return importanceSamplingTerm(inputs);
    case "ppo":
      return ppoTerm(inputs, loss.clipLow, loss.clipHigh);
    case "cispo":
      return cispoTerm(inputs, loss.clipLow, loss.clipHigh);
    case "dro":
      return droTerm(inputs, loss.beta);
  }
}

function tokenInputs(datum: Datum, logprobs: ArrayLike<number>, position: number): TokenInputs {
  return {
    logprob: logprobs[position] ?? 0,
    weight: datum.weights[position] ?? 0,
    advantage: datum.advantages?.[position] ?? 0,
    behaviorLogprob: datum.behaviorLogprobs?.[position] ?? 0,
  };
}
