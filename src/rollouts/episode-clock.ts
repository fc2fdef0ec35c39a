/**
 * The time of an episode: it stands still while recorded turns are told again, at what the record
 * says, and goes on from there with the first thing that is really done.
 */
import type { Clock } from "../base/index.ts";

export class EpisodeClock {
  readonly #clock: Clock;
  #passedMs = 0;
  #startTick: number | null = null;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  elapsedMs(): number {
    return this.#startTick === null
      ? this.#passedMs
      : this.#passedMs + this.#clock.monotonicMs() - this.#startTick;
  }

  /** A recorded turn or call was told that came at this time. */
  replayed(elapsedMs: number): void {
    if (this.#startTick === null) this.#passedMs = Math.max(this.#passedMs, elapsedMs);
  }

  /** From here on, time passes. */
  goOn(): void {
    this.#startTick ??= this.#clock.monotonicMs();
  }
}
