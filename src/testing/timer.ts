/**
 * Waiting as an argument: the fakes wait through a `Timer`, so that a test moves time by hand and
 * never sleeps.
 */

export interface Timer {
  /** Resolves after so much time; rejects with the reason of the signal when that fires first. */
  wait(durationMs: number, signal?: AbortSignal): Promise<void>;
}

/** Real time. */
export const systemTimer: Timer = {
  wait: (durationMs, signal) =>
    new Promise((resolve, reject) => {
      const timeout = setTimeout(resolve, durationMs);
      onAbort(signal, (reason) => {
        clearTimeout(timeout);
        reject(reason);
      });
    }),
};

interface Sleeper {
  readonly dueMs: number;
  readonly wake: () => void;
}

/** Time that stands still until `advance`. */
export class ManualTimer implements Timer {
  #nowMs = 0;
  #sleepers: Sleeper[] = [];

  /** Time since the timer was made. @unit milliseconds */
  get nowMs(): number {
    return this.#nowMs;
  }

  /** How many waits are open. */
  get waitingCount(): number {
    return this.#sleepers.length;
  }

  wait(durationMs: number, signal?: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      const sleeper: Sleeper = { dueMs: this.#nowMs + durationMs, wake: resolve };
      this.#sleepers.push(sleeper);
      onAbort(signal, (reason) => {
        this.#sleepers = this.#sleepers.filter((other) => other !== sleeper);
        reject(reason);
      });
    });
  }

  /**
   * Moves time on and wakes whoever is due, in order; what they start and that falls due within the
   * same span wakes as well.
   */
  async advance(durationMs: number): Promise<void> {
    const endMs = this.#nowMs + durationMs;
    await nextTurn();
    for (;;) {
      const due = this.#sleepers
        .filter((sleeper) => sleeper.dueMs <= endMs)
        .toSorted((a, b) => a.dueMs - b.dueMs)[0];
      if (due === undefined) break;
      this.#sleepers = this.#sleepers.filter((sleeper) => sleeper !== due);
      this.#nowMs = due.dueMs;
      due.wake();
      await nextTurn();
    }
    this.#nowMs = endMs;
  }
}

/** Lets the event loop go round a few times: what is ready runs, no time passes. */
export async function nextTurn(): Promise<void> {
  for (let turn = 0; turn < 4; turn++) await new Promise<void>((resolve) => setImmediate(resolve));
}

function onAbort(signal: AbortSignal | undefined, act: (reason: unknown) => void): void {
  if (signal === undefined) return;
  if (signal.aborted) act(signal.reason);
  else signal.addEventListener("abort", () => act(signal.reason), { once: true });
}
