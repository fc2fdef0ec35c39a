/** What fills a seat. A player is asked with segments and answers with a reply; it knows no rules. */
import type { CallOptions } from "../base/index.ts";
import type { Chunk, FinishReason } from "../contract/index.ts";
import type { Segment } from "../games/index.ts";
import type { PlayerReference, Span, TurnSampling } from "../records/index.ts";

export interface PlayerRequest {
  /** The seat that is asked, by the name that the game gave it. */
  readonly seat: string;
  readonly segments: readonly Segment[];
  /** Ids of the context that the prompt extends, as they were; empty for a fresh context. */
  readonly context: readonly Chunk[];
  /** The segments and replies (in the role `assistant`) behind `context`, for players without ids. */
  readonly history: readonly Segment[];
  readonly maxTokens: number | null;
  readonly stopStrings: readonly string[];
  readonly force: string | null;
  /** Every reply that the rules accept, where the game lists them; for players that know no game. */
  readonly choices: readonly string[] | null;
  /** All that the seat knows, as people read it, where the game says it. */
  readonly position: string | null;
  readonly count: number;
  readonly seed: number;
}

export type PlayerReply =
  | {
      readonly kind: "reply";
      /** Ids added to the context, prompt first; empty for players without tokens. */
      readonly spans: readonly Span[];
      /** True where `spans` is a whole prompt that replaces the context. */
      readonly startsNewContext: boolean;
      readonly logprobs: Float32Array;
      readonly text: string;
      readonly finishReason: FinishReason | null;
      readonly sampling: TurnSampling | null;
    }
  /** The prompt leaves no room for a reply. */
  | { readonly kind: "limit"; readonly limit: "context" };

export interface Player {
  readonly reference: PlayerReference;
  /** One reply per sibling. Failures are thrown; rollouts attribute them. */
  reply(request: PlayerRequest, call: CallOptions): Promise<readonly PlayerReply[]>;
}
