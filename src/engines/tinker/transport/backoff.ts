/** Pauses between attempts: they double, vary, and end. Clock and chance are arguments. */
import { pause, type Clock, type Random } from "../../../base/index.ts";

export interface BackoffPolicy {
  readonly firstPauseMs: number;
  readonly longestPauseMs: number;
  /** Without a useful answer for so long, one gives up. */
  readonly giveUpAfterMs: number;
}

/** As the official SDK: from half a second to half a minute, for five minutes. */
export const defaultBackoff: BackoffPolicy = {
  firstPauseMs: 500,
  longestPauseMs: 30_000,
  giveUpAfterMs: 300_000,
};

export interface BackoffOptions {
  readonly policy: BackoffPolicy;
  readonly clock: Clock;
  readonly random: Random;
  /** For messages: "retrieve_future". */
  readonly what: string;
  readonly signal: AbortSignal;
}

export class Backoff {
  readonly #options: BackoffOptions;
  #startMs: number;
  #count = 0;

  constructor(options: BackoffOptions) {
    this.#options = options;
    this.#startMs = options.clock.monotonicMs();
  }

  /** A useful answer came: the next failure starts from the beginning. */
  reset(): void {
    this.#startMs = this.#options.clock.monotonicMs();
    this.#count = 0;
  }

  /** Whether it was tried for long enough. */
  get isOver(): boolean {
    const { clock, policy } = this.#options;
    return clock.monotonicMs() - this.#startMs >= policy.giveUpAfterMs;
  }

  /**
   * Waits before the next attempt: as long as the server asked for, else twice as long as last time, give or take a
   * quarter. A server may ask for a minute at most.
   */
  async pause(askedMs: number | null = null): Promise<void> {
    const { policy, random, signal, what } = this.#options;
    const doubled = policy.firstPauseMs * 2 ** Math.min(this.#count, 20);
    const usual = Math.min(policy.longestPauseMs, doubled) * (0.75 + 0.5 * random.uniform());
    this.#count += 1;
    const timeoutMs = askedMs !== null && askedMs > 0 && askedMs <= 60_000 ? askedMs : usual;
    await pause({ boundary: "engine", what: `the pause before another ${what}`, timeoutMs, signal });
  }
}
