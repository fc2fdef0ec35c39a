/**
 * A wait of a table: for a player or for a service, within its deadline and the episode's time.
 * However a wait ends, it ends once, and what comes later is dropped.
 */
import type { Boundary, CallOptions, SparError } from "../base/index.ts";
import type { EpisodeState } from "./episode-state.ts";
import type { Place } from "./in-order.ts";

export interface WaitLimits {
  readonly boundary: Boundary;
  /** A noun phrase. */
  readonly what: string;
  /** The longest that this kind of wait may take. */
  readonly timeoutMs: number;
  /** What is left of the episode's time. */
  readonly leftMs: number;
}

/** What is waited for, and what happens then. What the handlers throw goes to `failed`. */
export abstract class TableWait<T, Answer> {
  readonly episode: EpisodeState;
  readonly place: Place<Answer>;

  constructor(episode: EpisodeState, place: Place<Answer>) {
    this.episode = episode;
    this.place = place;
  }

  protected abstract start(call: CallOptions): Promise<T>;
  protected abstract came(value: T): void;
  /** What was waited for failed, or did not come within its deadline, or was cancelled. */
  protected abstract failed(thrown: unknown): void;
  /** The episode's own time ended first. */
  protected abstract outOfTime(): void;

  begin(limits: WaitLimits): void {
    const { boundary, what, leftMs } = limits;
    const { deadlines, breath } = this.episode.options;
    const timeoutMs = Math.min(limits.timeoutMs, leftMs);
    const open = deadlines.open({ boundary, what, timeoutMs }, (error) => this.#ended(error, limits));
    this.place.wait = open;
    this.#start({ signal: open.signal, timeoutMs }).then(
      (value) => {
        breath.answered();
        if (open.close()) this.#guarded(() => this.came(value));
      },
      (thrown: unknown) => {
        if (open.close()) this.failed(thrown);
      },
    );
  }

  /** Players and services are written by others: they may throw before there is a promise, or give none. */
  #start(call: CallOptions): Promise<T> {
    const { breath } = this.episode.options;
    if (breath.isDue()) return breath.draw().then(() => this.start(call));
    try {
      return Promise.resolve(this.start(call));
    } catch (thrown) {
      return Promise.reject(thrown);
    }
  }

  #ended(error: SparError, { timeoutMs, leftMs }: WaitLimits): void {
    if (error.code === "deadline-exceeded" && leftMs <= timeoutMs) this.#guarded(() => this.outOfTime());
    else this.failed(error);
  }

  #guarded(work: () => void): void {
    try {
      work();
    } catch (thrown) {
      this.failed(thrown);
    }
  }
}
