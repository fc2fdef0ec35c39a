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
  readonly signal: AbortSignal;
  readonly resolve: () => void;
  readonly reject: (reason: unknown) => void;
}

export class Batcher {
  readonly #options: BatchOptions;
  readonly #timer: Timer;
  readonly #sizes: number[] = [];
  readonly #waiting: Waiting[] = [];
  #isRunning = false;

  constructor(options: BatchOptions, timer: Timer) {
    this.#options = options;
    this.#timer = timer;
  }

  /** The size of every batch that was started. */
  get sizes(): readonly number[] {
    return this.#sizes;
  }

  /** Resolves when the batch that holds this request is done; rejects in its turn where the signal has fired. */
  join(signal: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#waiting.push({ signal, resolve, reject });
      if (!this.#isRunning) void this.#run();
    });
  }

  async #run(): Promise<void> {
    this.#isRunning = true;
    await new Promise<void>((resolve) => setImmediate(resolve));
    for (let batch = this.#take(); batch.length > 0; batch = this.#take()) {
      this.#sizes.push(batch.length);
      await this.#timer.wait(this.#options.durationMs);
      for (const entry of batch) answer(entry);
    }
    this.#isRunning = false;
  }

  /** The next batch. Who is no longer waited for takes no place in it. */
  #take(): Waiting[] {
    const batch: Waiting[] = [];
    let takenCount = 0;
    for (const entry of this.#waiting) {
      if (batch.length === this.#options.size) break;
      takenCount++;
      if (entry.signal.aborted) answer(entry);
      else batch.push(entry);
    }
    this.#waiting.splice(0, takenCount);
    return batch;
  }
}

function answer({ signal, resolve, reject }: Waiting): void {
  if (signal.aborted) reject(signal.reason);
  else resolve();
}
