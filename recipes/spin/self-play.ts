/**
 * The two halves of an iteration: the present iterate answers every prompt, then the next one learns
 * to tell the references from those answers.
 *
 * @paper arXiv:2401.01335v3 alg. 1
 */
import type { Datum, PolicyVersion } from "spar/contract";
import { writePairsParquet } from "spar/data";
import { addMetrics, pairLoss, pairMeans } from "spar/losses";
import { policyPlayer } from "spar/players";
import { playEpisodes } from "spar/rollouts";
import { checkMismatch, fit, type FitUpdate, type Policy, type Run, type Step } from "spar/train";
import { answerGame, answerSeat } from "./answer-game.ts";
import type { SpinTask } from "./examples.ts";
import { optimizerOf, scheduleOf } from "./fine-tuning.ts";
import { atIteration, type SpinOptions } from "./options.ts";
import { answersOf, pairRows, withReferences, type AnsweredPrompt } from "./pairs.ts";

export type AnswerFigures = {
  readonly answeredCount: number;
  /** Answers that differ from their reference. */
  readonly differentCount: number;
  /** Answers that were cut at the cap. */
  readonly cutCount: number;
  /** Mean length of an answer, end marker included. */
  readonly meanTokens: number;
};

/** The name of the step in which an iterate answers. */
export function answerStepName(iteration: number): string {
  return `answer-${iteration}`;
}

/** The iterate answers every training prompt once; answers are on record as turns. */
export async function answerPrompts(
  run: Run<SpinOptions>,
  step: Step,
  {
    task,
    version,
    contextLength,
  }: { readonly task: SpinTask; readonly version: PolicyVersion; readonly contextLength: number },
): Promise<AnswerFigures> {
  const { options } = run;
  const opponent = policyPlayer({
    name: "opponent",
    kind: "frozen",
    version,
    engine: run.engine,
    renderer: task.renderer,
    contextLength,
    sampling: { maxTokens: options.maxAnswerTokens, temperature: options.temperature },
  });
  await playEpisodes({
    step,
    game: answerGame,
    tasks: task.training.map(({ id, prompt }) => ({ id, task: { prompt } })),
    seats: { [answerSeat]: opponent },
    concurrency: options.concurrency,
    replyTimeoutMs: options.answerTimeoutMs,
    what: "answering",
  });
  const answers = answersOf(step, step.name, task);
  await writePairs(run.artifactPath(`pairs-${step.name}.parquet`), answers);
  return figuresOf(answers);
}

/** What there is to tell of answers, whoever gave them. */
export function figuresOf(answers: readonly AnsweredPrompt[]): AnswerFigures {
  return {
    answeredCount: answers.length,
    differentCount: answers.filter(({ isEqual }) => !isEqual).length,
    cutCount: answers.filter(({ turn }) => turn?.finishReason === "length").length,
    meanTokens:
      answers.reduce((sum, { answerIds }) => sum + answerIds.length, 0) / Math.max(1, answers.length),
  };
}

async function writePairs(path: string, answers: readonly AnsweredPrompt[]): Promise<void> {
  await writePairsParquet(
    path,
    answers.map(({ example, turn }) => ({
      system: null,
      prompt: example.prompt,
      real: example.answer,
      generated: turn?.text ?? "",
    })),
  );
}

export type TrainingFigures = {
  readonly version: PolicyVersion;
  readonly pairCount: number;
  readonly updateCount: number;
  /** Loss of the first update: log 2 = 0.6931 for the logistic loss, since nothing has moved yet. */
  readonly firstLoss: number;
  /** Mean absolute gap between sampler and trainer per token; null where no answer was sampled. @unit nats */
  readonly mismatchNats: number | null;
  /** Means over the last tenth of the updates; a reward is beta times what log-probability was gained. */
  readonly realReward: number;
  readonly generatedReward: number;
  readonly margin: number;
  readonly rewardAccuracy: number;
  /** Mean change of the references' log-probability against the previous iterate. */
  readonly realShiftNats: number;
};

/** Trains the next iterate against the answers of the last one or two, and publishes it. */
export async function trainIteration(
  run: Run<SpinOptions>,
  step: Step,
  { policy, ...context }: RowsContext & { readonly policy: Policy },
): Promise<TrainingFigures> {
  const { options } = run;
  const { iteration } = context;
  const rows = iterationRows(options, step, context);
  const { model } = policy;
  const { data, logprobs } = await withReferences(rows, {
    model,
    rowsPerCall: options.maxRowsPerCall,
    step,
  });
  const mismatch = await checkMismatch({
    model,
    logprobs,
    description: run.engine.description,
    data,
    step,
    report: run.report,
    index: iteration,
  });
  const pairCount = data.length / 2;
  const updateCount = Math.ceil(pairCount / options.pairsPerUpdate) * options.epochsPerIteration;
  const beta = atIteration(options.betas, iteration);
  const progress = step.progress({
    what: "telling answers apart",
    total: updateCount,
    unit: "updates",
  });
  const updates = await fit({
    model,
    data,
    loss: ({ groupCount }) =>
      pairLoss({
        beta,
        shape: options.loss,
        pairCount: groupCount,
        isLengthNormalized: options.lengthNormalised,
        realNll: { coefficient: options.nllCoefficient, isPerToken: true },
      }),
    optimizer: optimizerOf(options),
    schedule: scheduleOf(options, iteration, updateCount),
    groupsPerUpdate: options.pairsPerUpdate,
    microBatchRows: options.maxRowsPerCall,
    epochs: options.epochsPerIteration,
    random: step.random.split("batches"),
    signal: step.signal,
    progress,
  }).finally(() => progress.end());
  const mismatchNats = mismatch.kind === "empty" ? null : mismatch.meanAbsolute;
  return { version: await policy.publish(), pairCount, mismatchNats, ...summarise(updates, beta) };
}

interface RowsContext {
  readonly task: SpinTask;
  /** Answers of iteration 0 that a file gave. */
  readonly given: readonly AnsweredPrompt[] | null;
  readonly iteration: number;
}

function iterationRows(
  options: SpinOptions,
  step: Step,
  { task, given, iteration }: RowsContext,
): readonly Datum[] {
  const first = Math.max(0, iteration - options.opponentWindow + 1);
  const rows: Datum[] = [];
  for (let from = first; from <= iteration; from++) {
    const answers = from === 0 && given !== null ? given : answersOf(step, answerStepName(from), task);
    const kept = options.dropEqualAnswers ? answers.filter(({ isEqual }) => !isEqual) : answers;
    rows.push(...kept.flatMap((answer) => pairRows(answer, { task, options, isReplayed: from < iteration })));
  }
  return rows;
}

function summarise(
  updates: readonly FitUpdate[],
  beta: number,
): Omit<TrainingFigures, "version" | "pairCount" | "mismatchNats"> {
  const last = updates.slice(-Math.ceil(updates.length / 10));
  const means = pairMeans(addMetrics(...last.map(({ metrics }) => metrics)));
  return {
    updateCount: updates.length,
    firstLoss: pairMeans(updates[0]?.metrics ?? {})["pair/loss/mean"] ?? 0,
    realReward: means["pair/realReward/mean"] ?? 0,
    generatedReward: means["pair/generatedReward/mean"] ?? 0,
    margin: means["pair/margin/mean"] ?? 0,
    rewardAccuracy: means["pair/accuracy/mean"] ?? 0,
    realShiftNats: (means["pair/realReward/mean"] ?? 0) / beta,
  };
}
