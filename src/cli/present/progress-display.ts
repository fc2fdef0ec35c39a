/**
 * Shows how far a run is: one live line on a terminal, a line now and then on standard error
 * elsewhere. Of several things under way the one that began last is shown.
 */
import type { Clock } from "../../base/index.ts";
import type { RunEvent } from "../../train/index.ts";
import { formatDuration } from "../terminal/format.ts";
import { createProgressLine, type ProgressLine } from "../terminal/progress.ts";
import type { Screen } from "../terminal/screen.ts";
import { oneLine } from "../terminal/text.ts";

export interface ProgressDisplay {
  /** Takes note of steps and progress; does nothing about other events. */
  observe(event: RunEvent): void;
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
  const entries = new Map<number, Entry>();
  let stepName: string | null = null;
  /** What a step does while it counts nothing: before its first count, and after it. */
  let uncounted: "running" | "finishing" = "running";
  let lastSparseMs = startMs;

  const text = (): string | null => {
    const elapsed = formatDuration(clock.monotonicMs() - startMs);
    const entry = [...entries.values()].at(-1);
    if (entry !== undefined) return `[${elapsed}] ${oneLine(entry.stepName)}: ${entry.line.text()}`;
    return stepName === null ? null : `[${elapsed}] ${oneLine(stepName)}: ${uncounted}`;
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
    observe: (event) => {
      switch (event.kind) {
        case "step-start":
          stepName = event.isReplayed ? null : event.name;
          uncounted = "running";
          return tick();
        case "step-end":
          stepName = null;
          return tick();
        case "progress-start":
          entries.set(event.progressId, {
            stepName: event.stepName,
            line: createProgressLine({ ...event, clock }),
          });
          return;
        case "progress-advance":
          entries.get(event.progressId)?.line.reach(event.done);
          return;
        case "progress-end":
          entries.delete(event.progressId);
          uncounted = "finishing";
          break;
        default:
      }
    },
    end: () => {
      entries.clear();
      stepName = null;
      screen.live(null);
    },
  };
}
