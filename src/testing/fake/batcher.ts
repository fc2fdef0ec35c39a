/**
 * Requests wait for a place in a batch: at most `size` are answered together, each batch takes
 * `durationMs`. What makes the fake's speed depend on how many ask at once, as a real sampler's does.
 */
import type { Timer } from "../timer.ts";

export interface BatchOptions {
  readonly size: number;
  readonly durationMs: number;
}

interface Waiting {
  readonly answer: () => void;
}

export class Batcher {
  readonly #options: BatchOptions;
  readonly #timer: Timer;
  readonly #sizes: number[] = [];
  #waiting: Waiting[] = [];
  #isRunning = false;

  constructor(options: BatchOptions, timer: Timer) {
    this.#options = options;
    this.#timer = timer;
  }

  /** The size of every batch that was started. */
  get sizes(): readonly number[] {
    return this.#sizes;
  }

  /** Resolves when the batch that holds this request is done; rejects when the signal fires first. */
  join(signal: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      const entry: Waiting = { answer: resolve };
      this.#waiting.push(entry);
      signal.addEventListener(
        "abort",
        () => {
          this.#waiting = this.#waiting.filter((other) => other !== entry);
          reject(signal.reason);
        },
        { once: true },
      );
      if (!this.#isRunning) void this.#run();
    });
  }

  async #run(): Promise<void> {
    this.#isRunning = true;
    await new Promise<void>((resolve) => setImmediate(resolve));
    while (this.#waiting.length > 0) {
      const batch = this.#waiting.splice(0, this.#options.size);
      this.#sizes.push(batch.length);
      await this.#timer.wait(this.#options.durationMs);
      for (const entry of batch) entry.answer();
    }
    this.#isRunning = false;
  }
}
