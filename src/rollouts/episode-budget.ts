/** What an episode may still use of its limits, and how often it asked for more. */
import type { EpisodeLimits } from "../records/index.ts";
import type { EpisodeClock } from "./episode-clock.ts";
import { tooManyRefusals } from "./rollout-errors.ts";

/** A game that goes on asking this often after a limit does not end by itself. */
const maximumRefusals = 1000;

export class EpisodeBudget {
  readonly #limits: EpisodeLimits;
  readonly #clock: EpisodeClock;
  #turnCount = 0;
  #callCount = 0;
  #tokenCount = 0;
  #refusalCount = 0;

  constructor(limits: EpisodeLimits, clock: EpisodeClock) {
    this.#limits = limits;
    this.#clock = clock;
  }

  get left(): EpisodeLimits {
    return {
      turns: Math.max(0, this.#limits.turns - this.#turnCount),
      calls: Math.max(0, this.#limits.calls - this.#callCount),
      tokens: this.tokensLeft,
      timeMs: Math.max(0, this.leftMs(this.#clock.elapsedMs())),
    };
  }

  get tokensLeft(): number {
    return Math.max(0, this.#limits.tokens - this.#tokenCount);
  }

  /** Zero or less where the time is up. */
  leftMs(elapsedMs: number): number {
    return this.#limits.timeMs - elapsedMs;
  }

  /** Takes the turns of one ask, or says which limit has no room for them. */
  takeTurns(count: number): "turns" | "tokens" | null {
    if (this.#limits.turns - this.#turnCount < count) return "turns";
    if (this.tokensLeft < count) return "tokens";
    this.#turnCount += count;
    return null;
  }

  takeCall(): "calls" | null {
    if (this.#limits.calls - this.#callCount < 1) return "calls";
    this.#callCount++;
    return null;
  }

  useTokens(count: number): void {
    this.#tokenCount += count;
  }

  /** @throws `game-endless` where a game does not take a limit for an answer */
  countRefusal(): void {
    if (++this.#refusalCount > maximumRefusals) throw tooManyRefusals(maximumRefusals);
  }
}
