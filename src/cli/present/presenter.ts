/**
 * What is shown of a run while it goes on. One interface, two ways to fill it: text for people and
 * JSON lines for programs. Knows no recipe.
 */
import type { JsonValue } from "../../base/index.ts";
import type { Progress, ProgressOptions } from "../../train/run.ts";
import type { ReportEvent } from "../../train/report.ts";

/** What stands above a run. */
export interface RunHeader {
  readonly recipe: string;
  readonly title: string;
  readonly preset: string;
  /** Id and what executes the arithmetic: `embedded (wasm, float32)`. */
  readonly engine: string;
  readonly threadCount: number;
  readonly seed: number;
  readonly folder: string;
  readonly isResumed: boolean;
}

/** How a run ended well. */
export interface RunSummary {
  readonly result: JsonValue;
  readonly elapsedMs: number;
  readonly folder: string;
  /** Commands that make sense now. */
  readonly next: readonly string[];
}

export interface Presenter {
  header(header: RunHeader): void;
  /** A note, a table, a row, a chart; `isRepeated` where a resumed run shows it again. */
  report(event: ReportEvent, isRepeated: boolean): void;
  stepStart(name: string): void;
  stepEnd(name: string, durationMs: number, isRepeated: boolean): void;
  metric(metric: {
    readonly name: string;
    readonly index: number;
    readonly value: number;
    readonly stepName: string;
  }): void;
  progress(stepName: string, options: ProgressOptions): Progress;
  summary(summary: RunSummary): void;
  /** Takes away what is only there while the run goes on. Idempotent. */
  end(): void;
}
