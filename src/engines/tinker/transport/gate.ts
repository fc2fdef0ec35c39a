/** At most so many at once, and a bounded line of those who wait. Knows nothing of what they do. */
import { throwIfAborted } from "../../../base/index.ts";
import { tinkerError } from "../errors.ts";

export interface GateOptions {
  /** For messages: "requests". */
  readonly what: string;
  readonly limit: number;
  readonly longestQueue: number;
}

export class Gate {
  readonly #options: GateOptions;
  readonly #waiting: (() => void)[] = [];
  #open = 0;

  constructor(options: GateOptions) {
    this.#options = options;
  }

  /** How many are inside. */
  get count(): number {
    return this.#open;
  }

  /** @throws `queue-full`, `aborted` */
  async run<T>(signal: AbortSignal, task: () => Promise<T>): Promise<T> {
    await this.#enter(signal);
    try {
      return await task();
    } finally {
      const next = this.#waiting.shift();
      if (next === undefined) this.#open -= 1;
      else next();
    }
  }

  async #enter(signal: AbortSignal): Promise<void> {
    const { what, limit, longestQueue } = this.#options;
    throwIfAborted(signal, { boundary: "engine", what });
    if (this.#open < limit) {
      this.#open += 1;
      return;
    }
    if (this.#waiting.length >= longestQueue) {
      throw tinkerError("queue-full", `expected at most ${longestQueue} ${what} that wait, got one more`, {
        hint: "ask for fewer at once",
        retryable: true,
      });
    }
    await new Promise<void>((resolve, reject) => {
      const enter = (): void => {
        signal.removeEventListener("abort", leave);
        resolve();
      };
      const leave = (): void => {
        this.#waiting.splice(this.#waiting.indexOf(enter), 1);
        reject(signal.reason);
      };
      this.#waiting.push(enter);
      signal.addEventListener("abort", leave, { once: true });
    });
  }
}
