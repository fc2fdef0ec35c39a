/** Small training rows for the conformance suite, the same on every call. */
import { tokens, type BuiltInLoss, type Datum, type Model } from "../../contract/index.ts";

/**
 * Differences l - q that reach every branch of the ratio losses: inside and outside of the default
 * clips on both sides, and on policy.
 */
const logRatios = [0, 0.1, -0.1, 0.5, -0.5, 1.6, -2, 0.05];

const advantageCycle = [1, -1, 0.5, -2, 1.5, -0.25, -1];

/** Rows of mixed lengths with weights of 0, 1 and between. @shape T = 3 .. 6 */
export function mixedRows(model: Model, rowCount = 4): Datum[] {
  return Array.from({ length: rowCount }, (_unused, row) => {
    const length = 3 + ((row * 2 + 1) % 4);
    const ids = Array.from(
      { length: length + 1 },
      (_none, index) => (row * 5 + index * index + index * 3 + 1) % model.vocabularySize,
    );
    const weights = Float32Array.from(
      { length },
      (_none, index) => [1, 0.5, 0, 1, 0.25][(index + row) % 5] ?? 1,
    );
    return rowOf(ids, weights);
  });
}

/** A row from its ids: input = all but the last, targets = all but the first. */
export function rowOf(ids: readonly number[], weights: Float32Array): Datum {
  return { input: [tokens(ids.slice(0, -1))], targets: Int32Array.from(ids.slice(1)), weights };
}

/** The same rows with advantages, and behaviour log-probabilities around the model's own. */
export function withAdvantages(data: readonly Datum[], logprobs: readonly ArrayLike<number>[]): Datum[] {
  return data.map((datum, row) => ({
    ...datum,
    advantages: Float32Array.from(
      datum.targets,
      (_target, index) => advantageCycle[(index + row * 3) % advantageCycle.length] ?? 1,
    ),
    behaviorLogprobs: Float32Array.from(
      datum.targets,
      (_target, index) =>
        (logprobs[row]?.[index] ?? 0) - (logRatios[(index * 3 + row) % logRatios.length] ?? 0),
    ),
  }));
}

/** The rows with every weight multiplied. */
export function scaleWeights(data: readonly Datum[], factor: number): Datum[] {
  return data.map((datum) => ({ ...datum, weights: datum.weights.map((weight) => weight * factor) }));
}

/** Every built-in loss with settings whose clips the data reach. */
export const lossesUnderTest: readonly BuiltInLoss[] = [
  { kind: "crossEntropy" },
  { kind: "importanceSampling" },
  { kind: "ppo", clipLow: 0.8, clipHigh: 1.2 },
  { kind: "cispo", clipLow: 0.5, clipHigh: 2 },
  { kind: "dro", beta: 0.3 },
];
