/**
 * What the parts of one table share: the options of the episode, its clock, its budget, the order of
 * answers, contexts, the record of an earlier try, and what ended it from outside the game.
 */
import { seedAt } from "../base/index.ts";
import type { Call, Turn } from "../records/index.ts";
import { EpisodeBudget } from "./episode-budget.ts";
import { EpisodeClock } from "./episode-clock.ts";
import { InOrder } from "./in-order.ts";
import { RecordedAnswers } from "./recorded-answers.ts";
import type { EpisodeTableOptions } from "./table-options.ts";
import { TurnContexts } from "./turn-contexts.ts";

export class EpisodeState {
  readonly options: EpisodeTableOptions;
  readonly clock: EpisodeClock;
  readonly budget: EpisodeBudget;
  readonly contexts: TurnContexts;
  /** Failures count when they are told, in their turn: what ended the episode is then the same in every play. */
  readonly order: InOrder;
  /** What the game was told, in its order. */
  readonly turns: Turn[] = [];
  readonly calls: Call[] = [];
  /** Null where the episode is played for the first time. */
  readonly record: RecordedAnswers | null;
  #nextSequence = 0;
  #failure: { readonly error: unknown } | null = null;

  constructor(options: EpisodeTableOptions) {
    this.options = options;
    this.order = new InOrder(options.steps, (error) => this.fail(error));
    this.clock = new EpisodeClock(options.clock);
    this.budget = new EpisodeBudget(options.start.limits, this.clock);
    this.contexts = new TurnContexts(options.images);
    this.record = options.recorded === null ? null : new RecordedAnswers(options.start.id, options.recorded);
  }

  /** What ended the episode from outside the game, whatever the game made of it. */
  get failure(): { readonly error: unknown } | null {
    return this.#failure;
  }

  nextSequence(): number {
    return this.#nextSequence++;
  }

  /** The seed of the players' chance at a place in the order of the game. */
  seedOf(sequence: number): number {
    return seedAt(this.options.start.seed, sequence);
  }

  /** The episode fails, also where the game goes on as if nothing had happened. */
  fail(error: unknown): void {
    this.#failure ??= { error };
  }

  /** Nobody waits any more: answers that are still to come are of no use. */
  close(): void {
    this.order.close();
  }
}
