/**
 * Turns and calls: what happened in an episode, in the words of the record. Sampled token ids are
 * the only truth; text is a view of them (promise 1). Plain data, no behaviour: rollouts write these,
 * store keeps them, builders and replays read them.
 */
import type { JsonValue } from "../base/index.ts";
import type { FinishReason, PolicyVersion, TokenId } from "../contract/index.ts";

/** A stretch of a turn's ids by where they came from. */
export type Span =
  /** Rendered from text by a template or by tokenising a segment. */
  | { readonly kind: "rendered"; readonly tokenIds: readonly TokenId[] }
  /** Sampled by the policy; the turn's log-probabilities run over these, in order. */
  | { readonly kind: "sampled"; readonly tokenIds: readonly TokenId[] }
  /** Put in the policy's mouth by the game; in the context, never trained as its own. */
  | { readonly kind: "forced"; readonly tokenIds: readonly TokenId[] }
  /** An image by content hash, with the number of positions that the engine gave it. */
  | { readonly kind: "image"; readonly imageDigest: string; readonly positionCount: number };

/** Who filled the seat: a registered player and, where it holds weights, their version. */
export interface PlayerReference {
  readonly kind: "live" | "frozen" | "scripted" | "human" | "remote";
  readonly name: string;
  readonly version: PolicyVersion | null;
}

/** How the reply was drawn; stored beside log-probabilities, which are always at temperature 1. */
export interface TurnSampling {
  readonly temperature: number;
  readonly topP: number;
  readonly topK: number;
  readonly maxTokens: number;
  readonly seed: number;
}

/** One reply. */
export interface Turn {
  readonly id: string;
  readonly episodeId: string;
  readonly seat: string;
  /** Place in the order of the game, given when the game asked. Calls share the counter. */
  readonly sequence: number;
  /** Sibling number where one ask drew several replies. */
  readonly siblingIndex: number;
  /** The turn whose ids this turn's context extends; null for a fresh context. */
  readonly contextParent: string | null;
  readonly player: PlayerReference;
  /** The ids that this turn added to its context, prompt first; empty for players without tokens. */
  readonly spans: readonly Span[];
  /**
   * @shape `[number of sampled ids]`
   * @unit nats
   */
  readonly logprobs: Float32Array;
  readonly sampling: TurnSampling | null;
  readonly finishReason: FinishReason | null;
  /** What the game saw: the decoded reply, cut before a completed stop. */
  readonly text: string;
  /** What the game's parser made of the text. */
  readonly parsed: JsonValue;
  readonly durationMs: number;
}

/** One use of a service: executor, proof checker, tool, judge, encoder. */
export interface Call {
  readonly id: string;
  readonly episodeId: string;
  readonly sequence: number;
  readonly service: string;
  readonly input: JsonValue;
  /** Null where the call failed. */
  readonly output: JsonValue;
  readonly failure: Failure | null;
  readonly durationMs: number;
}

/** A failure as data: attributed once, at the boundary where it happened. */
export interface Failure {
  readonly code: string;
  readonly boundary: string;
  readonly message: string;
  readonly retryable: boolean;
}
