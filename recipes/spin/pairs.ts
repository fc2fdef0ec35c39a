/**
 * Pairs of answers as training rows: the reference against what an iterate answered. Real and
 * generated answer share their prompt ids, so that neither can be told by its prompt.
 *
 * @paper arXiv:2401.01335v3 sec. 4.1, alg. 1
 */
import { SparError } from "spar/base";
import type { Datum, Model, TokenId } from "spar/contract";
import { readPairs } from "spar/data";
import { pairConstants } from "spar/losses";
import { episodeIdOf, type Turn } from "spar/records";
import { datumFromSegments, datumFromTurns, fitPairToContext } from "spar/text";
import type { Step } from "spar/train";
import { closedAnswer, type EncodedExample, type SpinTask } from "./examples.ts";
import type { SpinOptions } from "./options.ts";

export interface AnsweredPrompt {
  readonly example: EncodedExample;
  /** The turn that answered; null where the answer came from a file. */
  readonly turn: Turn | null;
  readonly answerIds: readonly TokenId[];
  /** The iterate answered with the reference itself: such a pair has no gradient. */
  readonly isEqual: boolean;
}

/** The answers that a step has on record, in the order of the prompts; failed episodes are missing. */
export function answersOf(step: Pick<Step, "turns">, stepName: string, task: SpinTask): AnsweredPrompt[] {
  const turns = new Map(step.turns(stepName).map((turn) => [turn.episodeId, turn]));
  return task.training.flatMap((example, index) => {
    const turn = turns.get(episodeIdOf(stepName, "episodes", index));
    if (turn === undefined) return [];
    const answerIds = turn.spans.flatMap((span) => (span.kind === "sampled" ? span.tokenIds : []));
    return [{ example, turn, answerIds, isEqual: sameIds(answerIds, example.answerIds) }];
  });
}

/**
 * Answers from a file in the authors' layout, for the prompts that are trained on.
 *
 * @throws `no-answers` where the file answers none of them, and what the readers throw
 */
export async function answersOfFile(
  source: string,
  task: SpinTask,
  signal: AbortSignal,
): Promise<AnsweredPrompt[]> {
  const byPrompt = new Map(task.training.map((example) => [example.prompt, example]));
  const answers: AnsweredPrompt[] = [];
  for await (const { prompt, generated } of readPairs(source, { signal })) {
    const example = byPrompt.get(prompt);
    if (example === undefined) continue;
    const answerIds = closedAnswer(generated, task.renderer);
    answers.push({ example, turn: null, answerIds, isEqual: sameIds(answerIds, example.answerIds) });
  }
  if (answers.length > 0) return answers;
  throw new SparError({
    code: "no-answers",
    boundary: "data",
    message: `expected answers to the training prompts in ${source}, found none`,
    hint: "name the file that was made from the same prompts as data",
    facts: { source },
  });
}

function sameIds(left: readonly TokenId[], right: readonly TokenId[]): boolean {
  return left.length === right.length && left.every((tokenId, index) => tokenId === right[index]);
}

/** Two rows per pair, real first, as one group; references are still to be filled in. */
export function pairRows(answer: AnsweredPrompt, context: PairContext): Datum[] {
  const { example, turn, answerIds } = answer;
  const { task, options, isReplayed } = context;
  const { promptIds, answerIds: realIds } = example;
  const fitted = fitPairToContext(
    { promptIds, realIds, generatedIds: answerIds },
    { maxTokens: options.maxSequenceTokens, maxPromptTokens: options.maxPromptTokens },
  );
  const groupId = turn === null ? `file/${example.id}` : turn.id;
  const row = (ids: readonly TokenId[], side: 0 | 1): Datum =>
    datumFromSegments(
      [
        { tokenIds: fitted.promptIds, train: false },
        { tokenIds: ids, train: true },
      ],
      { tokenizer: task.tokenizer, groupId, isReplayed, constants: { [pairConstants.side]: side } },
    );
  const real = row(fitted.realIds, 1);
  const isWhole = !example.isCut && !fitted.isPromptCut && !fitted.isGeneratedCut;
  if (turn === null || !isWhole) return [real, row(fitted.generatedIds, 0)];
  return [real, datumFromTurns([turn], { groupId, isReplayed, constants: { [pairConstants.side]: 0 } })];
}

export interface PairContext {
  readonly task: SpinTask;
  readonly options: SpinOptions;
  /** Answers of the iterate before the last. */
  readonly isReplayed: boolean;
}

/**
 * The rows with their log-probabilities under the model as it stands before its first update, which
 * is the frozen opponent: once per pair, and with no second model. They are also what the sampler's
 * are compared with.
 */
export async function withReferences(
  rows: readonly Datum[],
  {
    model,
    rowsPerCall,
    step,
  }: {
    readonly model: Model;
    readonly rowsPerCall: number;
    readonly step: Pick<Step, "signal" | "progress">;
  },
): Promise<{ readonly data: readonly Datum[]; readonly logprobs: readonly Float32Array[] }> {
  const references: Float32Array[] = [];
  const progress = step.progress({ what: "computing references", total: rows.length, unit: "rows" });
  try {
    for (let start = 0; start < rows.length; start += rowsPerCall) {
      const batch = rows.slice(start, start + rowsPerCall);
      const { logprobs } = await model.forward(batch, { signal: step.signal });
      references.push(...logprobs);
      progress.advance(batch.length);
    }
  } finally {
    progress.end();
  }
  const data = rows.map((datum, row) => {
    const reference = references[row] ?? new Float32Array(0);
    return { ...datum, constants: { ...datum.constants, [pairConstants.reference]: reference } };
  });
  return { data, logprobs: references };
}
