/**
 * A match is a game that ends with a payoff for every seat. It states facts about itself, which the
 * tests of every match check, and which players, ratings and exact analysis rely on.
 */
import type { JsonValue } from "../base/index.ts";
import type { Game } from "./game.ts";

/** How a match ended. */
export type MatchOutcome = {
  /** What every seat gets; more is better. */
  readonly returns: { readonly [seat: string]: number };
  /** The seat whose illegal, unreadable or missing reply ended the match; null where the rules ended it. */
  readonly forfeitedBy: string | null;
  /** A few words for people: "three in a row", "illegal reply". */
  readonly how: string;
  /**
   * How things stood at the end, as people read it: the board after the last move, the cards of all.
   * Nothing is hidden any more. Left out where returns and `how` tell everything.
   */
  readonly final?: string;
};

export interface MatchFacts {
  /**
   * `perfect`: a position tells everything that happened. `hidden`: seats know different things.
   */
  readonly information: "perfect" | "hidden";
  /** Whether the game draws. */
  readonly hasChance: boolean;
  /** Whether the returns add up to zero wherever nobody forfeits. */
  readonly isZeroSum: boolean;
  readonly smallestReturn: number;
  readonly largestReturn: number;
}

export interface Match<Task extends JsonValue = JsonValue> extends Game<Task, MatchOutcome> {
  /** What people read in lists. */
  readonly title: string;
  /** The rules in a few sentences, as a person needs them before a first play. */
  readonly rules: string;
  readonly facts: MatchFacts;
  /** Played where no task is given. */
  readonly defaultTask: Task;
}

/** Gives a match its types; nothing else. */
export function defineMatch<Task extends JsonValue>(match: Match<Task>): Match<Task> {
  return match;
}

/** The end of a match in which a seat gave no reply that the rules accept: it pays, the others get nothing. */
export function forfeit(match: Pick<Match, "seats" | "facts">, seat: string, how: string): MatchOutcome {
  const { smallestReturn } = match.facts;
  const returns = Object.fromEntries(match.seats.map((one) => [one, one === seat ? smallestReturn : 0]));
  return { returns, forfeitedBy: seat, how };
}
