/**
 * What is shown of a run while it goes on. One interface, two ways to fill it: text for people and
 * JSON lines for programs. Knows no recipe.
 */
import type { JsonValue } from "../../base/index.ts";
import type { RunObserver } from "../../train/index.ts";

/** What stands above a run. */
export interface RunHeader {
  readonly recipe: string;
  readonly title: string;
  readonly preset: string;
  /** Id and what executes the arithmetic: `embedded (wasm, float32)`. */
  readonly engine: string;
  readonly threadCount: number;
  readonly seed: number;
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
  /** Before the run begins; shown with its first event, which knows the folder. The last one counts. */
  header(header: RunHeader): void;
  readonly observe: RunObserver;
  summary(summary: RunSummary): void;
  /** Takes away what is only there while the run goes on. Idempotent. */
  end(): void;
}
