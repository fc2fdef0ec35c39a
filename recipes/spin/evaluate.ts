/**
 * Held-out figures of one policy version. Accuracy is exact match of the greedy answer; expected
 * accuracy is the exact probability that one answer at temperature 1 is right, mean of p(y|x), so it
 * has no sampling noise. Both can move apart: sharpening raises one, calibration the other.
 */
import { mapBounded } from "spar/base";
import { tokens, type Engine, type PolicyVersion, type TokenId } from "spar/contract";
import type { Progress, Step } from "spar/train";
import type { EncodedExample } from "./examples.ts";

export type Evaluation = {
  /** Share of greedy answers that equal the reference, end marker included. */
  readonly greedyAccuracy: number;
  /** Mean probability of the reference answer: expected accuracy at temperature 1. */
  readonly expectedAccuracy: number;
  /** Mean negative log-likelihood of a reference answer. @unit nats */
  readonly nllNats: number;
};

export interface EvaluationOptions {
  readonly engine: Engine;
  readonly version: PolicyVersion;
  readonly examples: readonly EncodedExample[];
  /** What ends an answer. */
  readonly stopTokenIds: readonly TokenId[];
  readonly maxAnswerTokens: number;
  readonly concurrency: number;
  /** Where it happens: its signal is heeded, its progress told. */
  readonly step: Pick<Step, "signal" | "progress">;
}

export async function evaluate(options: EvaluationOptions): Promise<Evaluation> {
  const progress = options.step.progress({
    what: "evaluating",
    total: options.examples.length,
    unit: "held-out prompts",
  });
  const [logprobs, correct] = await Promise.all([
    referenceLogprobs(options),
    countGreedyCorrect(options, progress),
  ]).finally(() => progress.end());
  const count = options.examples.length;
  const sum = (values: readonly number[]): number => values.reduce((total, value) => total + value, 0);
  return {
    greedyAccuracy: correct / count,
    expectedAccuracy: sum(logprobs.map(Math.exp)) / count,
    nllNats: -sum(logprobs) / count,
  };
}

/** Summed log-probability of each reference answer, in the order of the examples. */
async function referenceLogprobs(options: EvaluationOptions): Promise<number[]> {
  const inputs = options.examples.map(({ promptIds, answerIds }) => [tokens([...promptIds, ...answerIds])]);
  const logprobs = await options.engine.computeLogprobs(options.version, inputs, {
    signal: options.step.signal,
  });
  return options.examples.map(({ answerIds }, row) => {
    const ofRow = logprobs[row]?.slice(-answerIds.length) ?? new Float32Array(0);
    return ofRow.reduce((sum, logprob) => sum + logprob, 0);
  });
}

async function countGreedyCorrect(options: EvaluationOptions, progress: Progress): Promise<number> {
  const { engine, version, examples, stopTokenIds, maxAnswerTokens, concurrency, step } = options;
  const matches = await mapBounded(examples, concurrency, async ({ promptIds, answerIds }) => {
    const response = await engine.sample(
      version,
      {
        prompt: [tokens(promptIds)],
        parameters: { maxTokens: maxAnswerTokens, temperature: 0, seed: 0, stopTokenIds },
      },
      { signal: step.signal },
    );
    progress.advance();
    const sampled = response.sequences[0]?.tokenIds ?? [];
    return sampled.length === answerIds.length && sampled.every((id, index) => id === answerIds[index]);
  });
  return matches.filter(Boolean).length;
}
