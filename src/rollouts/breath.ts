/**
 * Players that answer at once never give the event loop its turn: no deadline would end, no commit
 * happen, no ctrl-C be heard. Whoever works without waiting asks here now and then whether it is time.
 */
import type { Clock } from "../base/index.ts";

/** The longest that work keeps the event loop to itself, give or take. */
const breathAfterMs = 10;
/** The clock is looked at every so often. */
const stride = 16;

export class Breath {
  readonly #clock: Clock;
  #lastMs: number;
  #askedCount = 0;
  #answeredCount = 0;
  #drawing: Promise<void> | null = null;
  #isDrawn = false;

  constructor(clock: Clock) {
    this.#clock = clock;
    this.#lastMs = clock.monotonicMs();
  }

  isDue(): boolean {
    if (this.#drawing !== null) return true;
    if (++this.#askedCount % stride !== 0) return false;
    return this.#clock.monotonicMs() - this.#lastMs > breathAfterMs;
  }

  /** Resolves when the event loop has had its turn; for all who wait, once. */
  draw(): Promise<void> {
    this.#isDrawn = true;
    this.#drawing ??= nextRound().then(() => {
      this.#drawing = null;
      this.#lastMs = this.#clock.monotonicMs();
    });
    return this.#drawing;
  }

  /** Something came that was waited for. */
  answered(): void {
    this.#answeredCount++;
  }

  /** How much came so far: by it work is seen to get on. */
  get answeredCount(): number {
    return this.#answeredCount;
  }

  /** Whether somebody had to draw breath since this was asked last. */
  takeDrawn(): boolean {
    const isDrawn = this.#isDrawn;
    this.#isDrawn = false;
    return isDrawn;
  }
}

/** One round of the event loop: timers, input and output, immediates. */
export function nextRound(): Promise<void> {
  return new Promise((resolve) => void setImmediate(resolve));
}
