/**
 * Shows how far a run is: one live line on a terminal, a line now and then on standard error
 * elsewhere. Of several things under way the one that began last is shown.
 */
import type { Clock } from "../../base/index.ts";
import type { Progress, ProgressOptions } from "../../train/run.ts";
import { formatDuration } from "../terminal/format.ts";
import { createProgressLine, type ProgressLine } from "../terminal/progress.ts";
import type { Screen } from "../terminal/screen.ts";
import { oneLine } from "../terminal/text.ts";

export interface ProgressDisplay {
  /** Names what goes on where nothing counts its progress. */
  step(name: string | null): void;
  start(stepName: string, options: ProgressOptions): Progress;
  /** Redraws; called by a timer. */
  tick(): void;
  end(): void;
}

export interface ProgressDisplayOptions {
  readonly screen: Screen;
  readonly clock: Clock;
  /** No lines on standard error either. */
  readonly isQuiet: boolean;
}

/** How often a line is written where there is no terminal. */
const sparseEveryMs = 30_000;

interface Entry {
  readonly stepName: string;
  readonly line: ProgressLine;
}

export function createProgressDisplay(options: ProgressDisplayOptions): ProgressDisplay {
  const { screen, clock } = options;
  const startMs = clock.monotonicMs();
  const entries: Entry[] = [];
  let stepName: string | null = null;
  let lastSparseMs = startMs;

  const text = (): string | null => {
    const elapsed = formatDuration(clock.monotonicMs() - startMs);
    const entry = entries.at(-1);
    if (entry !== undefined) return `[${elapsed}] ${oneLine(entry.stepName)}: ${entry.line.text()}`;
    return stepName === null ? null : `[${elapsed}] ${oneLine(stepName)}`;
  };
  const tick = (): void => {
    const line = text();
    screen.live(line);
    const nowMs = clock.monotonicMs();
    if (screen.isTerminal || options.isQuiet || line === null || nowMs - lastSparseMs < sparseEveryMs) return;
    lastSparseMs = nowMs;
    screen.notice(line);
  };

  return {
    tick,
    step: (name) => {
      stepName = name;
      tick();
    },
    start: (name, progressOptions) => {
      const entry: Entry = { stepName: name, line: createProgressLine({ ...progressOptions, clock }) };
      entries.push(entry);
      const end = (): void => {
        const index = entries.indexOf(entry);
        if (index >= 0) entries.splice(index, 1);
      };
      return { advance: (count = 1) => entry.line.advance(count), end };
    },
    end: () => {
      entries.length = 0;
      stepName = null;
      screen.live(null);
    },
  };
}
