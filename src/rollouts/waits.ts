/**
 * A wait of a table: for a player or for a service, within its deadline and the episode's time.
 * However a wait ends, it ends once, and what comes later is dropped.
 */
import { OpenWait, type CallOptions, type OpenWaitOptions, type SparError } from "../base/index.ts";
import type { EpisodeState } from "./episode-state.ts";
import type { Place } from "./in-order.ts";

export interface WaitLimits {
  /** The longest that this kind of wait may take. */
  readonly timeoutMs: number;
  /** What is left of the episode's time. */
  readonly leftMs: number;
}

/** What is waited for, and what happens then. What the handlers throw goes to `failed`. */
export abstract class TableWait<T, Answer> extends OpenWait {
  readonly episode: EpisodeState;
  readonly place: Place<Answer>;
  #timeoutMs = 0;
  #isLastOfEpisode = false;

  constructor(episode: EpisodeState, place: Place<Answer>) {
    super();
    this.episode = episode;
    this.place = place;
  }

  /** Who is waited for, and what for, as a noun phrase. */
  protected abstract awaited(): Pick<OpenWaitOptions, "boundary" | "what">;
  protected abstract start(call: CallOptions): Promise<T>;
  protected abstract came(value: T): void;
  /** What was waited for failed, or did not come within its deadline, or was cancelled. */
  protected abstract failed(thrown: unknown): void;
  /** The episode's own time ended first. */
  protected abstract outOfTime(): void;

  wait({ timeoutMs, leftMs }: WaitLimits): void {
    const { deadlines, breath } = this.episode.options;
    this.#timeoutMs = Math.min(timeoutMs, leftMs);
    this.#isLastOfEpisode = leftMs <= timeoutMs;
    deadlines.begin(this, this.#timeoutMs);
    this.place.wait = this;
    this.#start({ signal: this.signal, timeoutMs: this.#timeoutMs }).then(
      (value) => {
        breath.answered();
        if (this.close()) this.#took(value);
      },
      (thrown: unknown) => {
        if (this.close()) this.failed(thrown);
      },
    );
  }

  about(): OpenWaitOptions {
    return { ...this.awaited(), timeoutMs: this.#timeoutMs };
  }

  protected ended(error: SparError): void {
    if (error.code !== "deadline-exceeded" || !this.#isLastOfEpisode) return this.failed(error);
    try {
      this.outOfTime();
    } catch (thrown) {
      this.failed(thrown);
    }
  }

  #took(value: T): void {
    try {
      this.came(value);
    } catch (thrown) {
      this.failed(thrown);
    }
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
}
