/**
 * A game is an async function over a table: the rules of one interaction between seats, in plain
 * control flow. It is pure: no clock, no global randomness, no model, no tokens. Because it sees only
 * what the table returns, feeding it a record plays it again. A single-seat task is the smallest game.
 */
import type { JsonValue, Random } from "../base/index.ts";
import type { EpisodeLimits } from "../records/index.ts";

/** A part of a prompt: text in a role, or an image by its content hash. */
export type Segment =
  | { readonly kind: "text"; readonly role: string; readonly text: string }
  | { readonly kind: "image"; readonly role: string; readonly imageDigest: string };

/** What a game sees of a turn. */
export interface TurnView<Parsed extends JsonValue = JsonValue> {
  readonly turnId: string;
  readonly text: string;
  readonly parsed: Parsed;
  readonly finishReason: "stop" | "length" | "cancelled" | null;
  /** Mean over the sampled tokens; null for players without tokens. @unit nats */
  readonly meanLogprob: number | null;
}

export interface Ask<Parsed extends JsonValue> {
  readonly prompt: readonly Segment[];
  /** Never throws: what cannot be read is a value of `Parsed` of its own kind. */
  readonly parse: (text: string) => Parsed;
  /**
   * Every reply that the rules accept here, where they can be listed: for players that pick, for people
   * and for exact analysis. Models are not shown them; the prompt says what they may know.
   */
  readonly choices?: readonly string[];
  /**
   * All that this seat knows, as people read it: a board, a hand of cards with the bets so far. Equal
   * positions of a seat are one information set. Games that can be analysed exactly give it.
   */
  readonly position?: string;
  /** Extends this turn's context by ids; without one, the context is fresh. */
  readonly from?: TurnView | undefined;
  readonly maxTokens?: number;
  readonly stopStrings?: readonly string[];
  /** Text put at the start of the reply; in the context, never trained as the seat's own. */
  readonly force?: string;
}

/** A reply, or the limit that kept the seat from replying. */
export type Reply<Parsed extends JsonValue> =
  | { readonly kind: "turn"; readonly turn: TurnView<Parsed> }
  | { readonly kind: "limit"; readonly limit: "turns" | "tokens" | "time" | "context" };

export type CallOutcome =
  | { readonly kind: "output"; readonly output: JsonValue }
  | { readonly kind: "failure"; readonly code: string; readonly message: string }
  | { readonly kind: "limit"; readonly limit: "calls" | "time" };

/** Everything a game may touch. */
export interface Table {
  ask<Parsed extends JsonValue>(seat: string, ask: Ask<Parsed>): Promise<Reply<Parsed>>;
  /** Several replies to one prompt, siblings of each other. */
  askSiblings<Parsed extends JsonValue>(
    seat: string,
    count: number,
    ask: Ask<Parsed>,
  ): Promise<readonly Reply<Parsed>[]>;
  call(service: string, input: JsonValue): Promise<CallOutcome>;
  /** Chance: one of the outcomes, each equally likely. The same label gives the same in every play of this episode. */
  draw<Outcome>(label: string, outcomes: readonly Outcome[]): Outcome;
  /** Chance that cannot be listed: the same label gives the same generator in every play of this episode. */
  random(label: string): Random;
  /** What remains of the episode's limits. */
  readonly left: EpisodeLimits;
}

export interface Game<Task extends JsonValue = JsonValue, Outcome extends JsonValue = JsonValue> {
  readonly id: string;
  readonly seats: readonly string[];
  readonly limits: EpisodeLimits;
  play(table: Table, task: Task): Promise<Outcome>;
}

/** Gives a game its types; nothing else. */
export function defineGame<Task extends JsonValue, Outcome extends JsonValue>(
  game: Game<Task, Outcome>,
): Game<Task, Outcome> {
  return game;
}
