/**
 * What a progress line says: how much is done, how fast, how long it took and will take. The rate is
 * that of the last seconds, so that a slow start does not spoil the estimate. Pure but for the clock
 * that it is given; knows no stream.
 */
import type { Clock } from "../../base/index.ts";
import { formatCount, formatDuration, formatRate } from "./format.ts";
import { oneLine } from "./text.ts";

export interface ProgressLine {
  /** Says how many are done by now. */
  reach(done: number): void;
  text(): string;
  readonly isComplete: boolean;
}

export interface ProgressLineOptions {
  /** What is being done: "answering prompts". */
  readonly what: string;
  readonly total: number;
  /** Plural noun of what is counted. */
  readonly unit: string;
  readonly clock: Clock;
}

/** The rate is taken over at least this stretch of time, once that much has passed. */
const rateWindowMs = 15_000;
const markEveryMs = 500;

export function createProgressLine(options: ProgressLineOptions): ProgressLine {
  const startMs = options.clock.monotonicMs();
  let done = 0;
  let marks: { readonly atMs: number; readonly done: number }[] = [{ atMs: startMs, done: 0 }];

  const mark = (nowMs: number): void => {
    const last = marks.at(-1);
    if (last !== undefined && nowMs - last.atMs < markEveryMs) return;
    marks.push({ atMs: nowMs, done });
    // The oldest mark that is kept is the last one outside the window.
    const firstInside = marks.findIndex(({ atMs }) => atMs >= nowMs - rateWindowMs);
    if (firstInside > 1) marks = marks.slice(firstInside - 1);
  };

  return {
    reach: (reached) => {
      done = reached;
      mark(options.clock.monotonicMs());
    },
    get isComplete() {
      return done >= options.total;
    },
    text: () => {
      const nowMs = options.clock.monotonicMs();
      const oldest = marks[0] ?? { atMs: startMs, done: 0 };
      const perSecond = nowMs > oldest.atMs ? ((done - oldest.done) * 1000) / (nowMs - oldest.atMs) : 0;
      return describe({ ...options, done, perSecond, elapsedMs: nowMs - startMs });
    },
  };
}

function describe(state: {
  readonly what: string;
  readonly total: number;
  readonly unit: string;
  readonly done: number;
  readonly perSecond: number;
  readonly elapsedMs: number;
}): string {
  const { done, total, perSecond } = state;
  const share = total > 0 ? `${Math.floor((100 * Math.min(done, total)) / total)} %` : "";
  const parts = [
    oneLine(state.what),
    `${formatCount(done)}/${formatCount(total)} ${oneLine(state.unit)}`,
    share,
    perSecond > 0 ? `${formatRate(perSecond)}/s` : "",
    timeOf(state),
  ];
  return parts.filter((part) => part !== "").join("  ");
}

function timeOf(state: {
  readonly total: number;
  readonly done: number;
  readonly perSecond: number;
  readonly elapsedMs: number;
}): string {
  const elapsed = `${formatDuration(state.elapsedMs)} elapsed`;
  const left = state.total - state.done;
  if (left <= 0 || state.perSecond <= 0) return elapsed;
  return `${elapsed}, ${formatDuration((left * 1000) / state.perSecond)} left`;
}
