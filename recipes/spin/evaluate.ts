/**
 * Held-out figures of one policy version. Greedy accuracy counts the most likely answers that are right;
 * expected accuracy is the exact probability that one answer at temperature 1 equals the reference, mean of
 * p(y|x), so it has no sampling noise. Both can move apart: sharpening raises one, calibration the other. Long
 * references are never met exactly, so for them the likelihood per token is what tells.
 */
import { mapBounded } from "spar/base";
import { tokens, type Engine, type PolicyVersion } from "spar/contract";
import type { Progress, Step } from "spar/train";
import type { SpinTask } from "./examples.ts";
import type { SpinOptions } from "./options.ts";
import { isRightAnswer } from "./right-answer.ts";

export type Evaluation = {
  /** Share of greedy answers that are right, as the option rightAnswer has it. */
  readonly greedyAccuracy: number;
  /** Mean probability of the reference answer: expected accuracy at temperature 1. */
  readonly expectedAccuracy: number;
  /** Mean negative log-likelihood of a reference answer. @unit nats */
  readonly nllNats: number;
  /** The same of all references together, divided by their tokens. @unit nats */
  readonly nllPerTokenNats: number;
  /** Mean length of a greedy answer. */
  readonly greedyTokens: number;
  /** Share of greedy answers that were cut at the cap. */
  readonly greedyCutShare: number;
};

export interface EvaluationOptions {
  readonly engine: Engine;
  readonly version: PolicyVersion;
  readonly task: Pick<SpinTask, "heldOut" | "renderer">;
  readonly options: Pick<SpinOptions, "maxAnswerTokens" | "concurrency" | "rightAnswer">;
  /** Where it happens: its signal is heeded, its progress told. */
  readonly step: Pick<Step, "signal" | "progress">;
}

export async function evaluate(evaluation: EvaluationOptions): Promise<Evaluation> {
  const { heldOut } = evaluation.task;
  const progress = evaluation.step.progress({
    what: "evaluating",
    total: heldOut.length,
    unit: "held-out prompts",
  });
  const [logprobs, answers] = await Promise.all([
    referenceLogprobs(evaluation),
    greedyAnswers(evaluation, progress),
  ]).finally(() => progress.end());
  const count = heldOut.length;
  const nats = -sumOf(logprobs);
  return {
    greedyAccuracy: answers.filter(({ isRight }) => isRight).length / count,
    expectedAccuracy: sumOf(logprobs.map(Math.exp)) / count,
    nllNats: nats / count,
    nllPerTokenNats: nats / sumOf(heldOut.map(({ answerIds }) => answerIds.length)),
    greedyTokens: sumOf(answers.map(({ tokenCount }) => tokenCount)) / count,
    greedyCutShare: answers.filter(({ isCut }) => isCut).length / count,
  };
}

function sumOf(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}

/** Summed log-probability of each reference answer, in the order of the examples. */
async function referenceLogprobs({ engine, version, task, step }: EvaluationOptions): Promise<number[]> {
  const inputs = task.heldOut.map(({ promptIds, answerIds }) => [tokens([...promptIds, ...answerIds])]);
  const logprobs = await engine.computeLogprobs(version, inputs, { signal: step.signal });
  return task.heldOut.map(({ answerIds }, row) => {
    const ofRow = logprobs[row]?.slice(-answerIds.length) ?? new Float32Array(0);
    return ofRow.reduce((sum, logprob) => sum + logprob, 0);
  });
}

interface GreedyAnswer {
  readonly isRight: boolean;
  readonly isCut: boolean;
  readonly tokenCount: number;
}

async function greedyAnswers(
  { engine, version, task, options, step }: EvaluationOptions,
  progress: Progress,
): Promise<GreedyAnswer[]> {
  const { stopTokenIds } = task.renderer;
  const { maxAnswerTokens: maxTokens, concurrency, rightAnswer } = options;
  return mapBounded(task.heldOut, concurrency, async (example) => {
    const response = await engine.sample(
      version,
      {
        prompt: [tokens(example.promptIds)],
        parameters: { maxTokens, temperature: 0, seed: 0, stopTokenIds },
      },
      { signal: step.signal },
    );
    progress.advance();
    const [sequence] = response.sequences;
    const tokenIds = sequence?.tokenIds ?? [];
    return {
      isRight: isRightAnswer(rightAnswer, example, { tokenIds, text: task.renderer.decode(tokenIds) }),
      isCut: sequence?.finishReason === "length",
      tokenCount: tokenIds.length,
    };
  });
}

/** The figures as metrics of a step, below a heading. */
export function recordEvaluation(
  step: Pick<Step, "metric">,
  at: { readonly heading: string; readonly index: number },
  figures: Evaluation,
): void {
  for (const [name, value] of Object.entries(figures)) step.metric(`${at.heading}/${name}`, at.index, value);
}
