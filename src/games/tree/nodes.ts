/** The places of a match's tree and the ways between them. Plain data. */
import type { CallOptions, JsonValue } from "../../base/index.ts";
import type { Segment } from "../game.ts";
import type { MatchOutcome } from "../match.ts";

/** From the start of a match to a place in it: the text of each reply, the index of each draw, in order. */
export type TreePath = readonly (string | number)[];

/**
 * Services that a match needs to be walked, by name. Each is a pure function of its input: it is called
 * again for every place that lies behind it.
 */
export type TreeServices = Readonly<
  Record<string, (input: JsonValue, call: CallOptions) => Promise<JsonValue>>
>;

/** What a walk may be given besides the match and its task. */
export interface TreeOptions {
  /** Default none: a match that calls one has no exact tree. */
  readonly services?: TreeServices;
  /** Ends an analysis of many places early, with `aborted`. */
  readonly signal?: AbortSignal;
  /** Told now and then how many places an analysis has visited so far. */
  readonly onVisits?: (visitedCount: number) => void;
}

/** A seat is asked. */
export interface DecisionNode {
  readonly kind: "decision";
  readonly seat: string;
  readonly position: string;
  readonly prompt: readonly Segment[];
  /** What lies before the prompt in this seat's conversation; its own replies in the role `assistant`. */
  readonly context: readonly Segment[];
  /** Every reply that the rules accept. */
  readonly choices: readonly string[];
  readonly maxTokens: number | null;
  readonly stopStrings: readonly string[];
  readonly force: string | null;
}

/** The game draws, each outcome equally likely. */
export interface ChanceNode {
  readonly kind: "chance";
  readonly label: string;
  readonly count: number;
}

export interface EndNode {
  readonly kind: "end";
  readonly outcome: MatchOutcome;
}

export type TreeNode = DecisionNode | ChanceNode | EndNode;

/** The name of an information set: a seat with all that it knows. */
export function informationSetKey(seat: string, position: string): string {
  return `${seat}: ${position}`;
}
