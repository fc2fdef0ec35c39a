/**
 * Waits of a table: for a player and for a service, within their deadlines and the episode's time.
 * However a wait ends, it ends once, and what comes later is dropped.
 */
import type { Boundary, CallOptions, SparError } from "../base/index.ts";
import type { Breath } from "./breath.ts";
import type { EpisodeState } from "./episode-state.ts";

export interface Wait<T> {
  readonly boundary: Boundary;
  readonly what: string;
  /** The longest that this kind of wait may take. */
  readonly timeoutMs: number;
  /** What is left of the episode's time. */
  readonly leftMs: number;
  readonly start: (call: CallOptions) => Promise<T>;
  readonly came: (value: T) => void;
  /** What was waited for failed, or did not come within its deadline, or was cancelled. */
  readonly failed: (error: unknown) => void;
  /** The episode's own time ended first. */
  readonly outOfTime: () => void;
}

/** Starts what is waited for. Whatever the handlers throw goes to `failed`. */
export function waitFor<T>(episode: EpisodeState, wait: Wait<T>): void {
  const { boundary, what, leftMs } = wait;
  const { deadlines, breath } = episode.options;
  const timeoutMs = Math.min(wait.timeoutMs, leftMs);
  const end = (error: SparError): void => {
    episode.waits.delete(open);
    if (error.code === "deadline-exceeded" && leftMs <= wait.timeoutMs) guarded(wait.outOfTime);
    else wait.failed(error);
  };
  const open = deadlines.open({ boundary, what, timeoutMs }, end);
  episode.waits.add(open);
  const close = (): boolean => {
    episode.waits.delete(open);
    breath.answered();
    return open.close();
  };
  const guarded = (work: () => void): void => {
    try {
      work();
    } catch (thrown) {
      wait.failed(thrown);
    }
  };
  start(wait, breath, { signal: open.signal, timeoutMs }).then(
    (value) => {
      if (close()) guarded(() => wait.came(value));
    },
    (thrown: unknown) => {
      if (close()) wait.failed(thrown);
    },
  );
}

/** Players and services are written by others: they may throw before there is a promise, or give none. */
function start<T>(wait: Wait<T>, breath: Breath, call: CallOptions): Promise<T> {
  if (breath.isDue()) return breath.draw().then(() => wait.start(call));
  try {
    return Promise.resolve(wait.start(call));
  } catch (thrown) {
    return Promise.reject(thrown);
  }
}
