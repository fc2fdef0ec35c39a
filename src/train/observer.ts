/**
 * What a run tells whoever watches it while it goes on: the command line draws it, tests collect it.
 * A resumed run tells its past again, marked as replayed. Watching changes nothing.
 */
import type { Metric } from "../records/index.ts";
import type { ReportEvent } from "./report.ts";
import type { ProgressOptions } from "./run.ts";

export type RunEvent =
  | {
      readonly kind: "run-start";
      readonly id: string;
      readonly folder: string;
      readonly recipe: string;
      readonly preset: string;
      /** Steps that were committed before and will be replayed; 0 for a new run. */
      readonly committedStepCount: number;
      /** Names of steps that were committed after the last save of their models and are repeated. */
      readonly repeatedSteps: readonly string[];
    }
  | {
      readonly kind: "step-start";
      readonly name: string;
      readonly position: number;
      readonly isReplayed: boolean;
    }
  | {
      readonly kind: "step-end";
      readonly name: string;
      readonly position: number;
      readonly durationMs: number;
      readonly isReplayed: boolean;
    }
  | ({
      readonly kind: "progress-start";
      readonly progressId: number;
      readonly stepName: string;
    } & ProgressOptions)
  | { readonly kind: "progress-advance"; readonly progressId: number; readonly done: number }
  | { readonly kind: "progress-end"; readonly progressId: number }
  | { readonly kind: "report"; readonly event: ReportEvent; readonly isReplayed: boolean }
  | { readonly kind: "metric"; readonly metric: Metric; readonly isReplayed: boolean }
  /** Something that a person should know and that is no part of the results. */
  | { readonly kind: "notice"; readonly text: string }
  | { readonly kind: "run-end"; readonly outcome: "finished" | "failed" | "interrupted" };

/** Called in the order of events; what it throws is dropped, since watching must not end a run. */
export type RunObserver = (event: RunEvent) => void;

/** Calls an observer where there is one. */
export function tell(observer: RunObserver | undefined, event: RunEvent): void {
  try {
    observer?.(event);
  } catch {
    // A closed terminal is no reason to lose a run.
  }
}
