/**
 * How much a run of SPIN does at most: updates and tokens, phase by phase. Arithmetic on options and on the
 * number of examples; the plan puts it into words.
 */
import type { BaseModelSizes } from "./base-model.ts";
import type { SpinOptions } from "./options.ts";

/** What was counted of the data; null where that takes fetching them. */
export interface SpinCounts {
  /** Prompts that are trained on. */
  readonly promptCount: number | null;
  /** Pairs of the file that stands for the first answers. */
  readonly firstPairCount: number | null;
  /** Of the base model, where its folder is there and tells them. */
  readonly baseModel: BaseModelSizes | null;
}

/** Iterations that are alike. */
export interface IterationWork {
  /** The first of them. */
  readonly iteration: number;
  readonly count: number;
  /** Of one of them. */
  readonly pairs: number;
  readonly updatesPerEpoch: number;
  readonly updates: number;
}

export interface ControlWork {
  readonly kind: SpinOptions["controls"][number];
  /** Of the largest iteration, and of all. */
  readonly updatesPerIteration: number;
  readonly updates: number;
  readonly tokens: number;
}

export interface SpinWork {
  readonly warmUp: { readonly updates: number; readonly tokens: number };
  readonly iterations: readonly IterationWork[];
  readonly selfPlay: { readonly updates: number; readonly tokens: number };
  readonly controls: readonly ControlWork[];
  /** Tokens sampled: answers to the training prompts, and to held-out ones. */
  readonly answerTokens: number;
  readonly evaluationTokens: number;
}

/** Updates of one epoch: the last batch may be smaller. */
function updatesPerEpoch(pairCount: number, pairsPerUpdate: number): number {
  return Math.ceil(pairCount / pairsPerUpdate);
}

/** All of a run over so many prompts. */
export function workOf(options: SpinOptions, promptCount: number, firstPairCount: number | null): SpinWork {
  const { iterationCount, maxAnswerTokens, maxSequenceTokens, epochsPerIteration } = options;
  const iterations = iterationsOf(options, promptCount, firstPairCount);
  const total = (of: (work: IterationWork) => number): number =>
    iterations.reduce((sum, work) => sum + work.count * of(work), 0);
  const answeredIterations = iterationCount - (options.firstPairs === "" ? 0 : 1);
  const evaluations = 1 + iterationCount * (1 + options.controls.length);
  const shownAnswers = 2 * options.sampleCount;
  return {
    warmUp: {
      updates: options.warmUp.epochs * updatesPerEpoch(promptCount, options.warmUp.rowsPerUpdate),
      tokens: options.warmUp.epochs * promptCount * maxSequenceTokens,
    },
    iterations,
    selfPlay: {
      updates: total(({ updates }) => updates),
      tokens: total(({ pairs }) => 2 * pairs * epochsPerIteration * maxSequenceTokens),
    },
    controls: options.controls.map((kind) => controlWork(options, kind, iterations)),
    answerTokens: promptCount * answeredIterations * maxAnswerTokens,
    evaluationTokens: (options.heldOutCount * evaluations + shownAnswers) * maxAnswerTokens,
  };
}

/**
 * Pairs of an iteration: one per prompt and iterate in the window; the first iteration has only its own
 * answers. From a point on all iterations are alike, however many there are.
 *
 * @paper arXiv:2401.01335v3 sec. 6.1
 */
function iterationsOf(
  options: SpinOptions,
  promptCount: number,
  firstPairCount: number | null,
): IterationWork[] {
  const { iterationCount, opponentWindow } = options;
  const answersOf = (iteration: number): number =>
    iteration === 0 ? (firstPairCount ?? promptCount) : promptCount;
  const different = opponentWindow + (answersOf(0) === promptCount ? 0 : 1);
  return Array.from({ length: Math.min(iterationCount, different) }, (_, iteration) => {
    let pairs = 0;
    for (let from = Math.max(0, iteration - opponentWindow + 1); from <= iteration; from++)
      pairs += answersOf(from);
    const perEpoch = updatesPerEpoch(pairs, options.pairsPerUpdate);
    return {
      iteration,
      count: iteration === different - 1 ? iterationCount - iteration : 1,
      pairs,
      updatesPerEpoch: perEpoch,
      updates: perEpoch * options.epochsPerIteration,
    };
  });
}

/** A control has an update's rows or fewer in each of its updates. */
function controlWork(
  options: SpinOptions,
  kind: ControlWork["kind"],
  iterations: readonly IterationWork[],
): ControlWork {
  const ratio = kind === "equal-time" ? options.equalTimeRatio : 1;
  const updatesOf = ({ updates }: IterationWork): number => Math.max(1, Math.round(updates * ratio));
  const updates = iterations.reduce((sum, work) => sum + work.count * updatesOf(work), 0);
  const rowsOf = (work: IterationWork): number =>
    kind === "equal-updates"
      ? 2 * work.pairs * options.epochsPerIteration
      : updatesOf(work) * 2 * options.pairsPerUpdate;
  const rows = iterations.reduce((sum, work) => sum + work.count * rowsOf(work), 0);
  return {
    kind,
    updates,
    updatesPerIteration: Math.max(...iterations.map(updatesOf)),
    tokens: rows * options.maxSequenceTokens,
  };
}
