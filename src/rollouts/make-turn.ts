/** From a player's reply to the turn that is recorded. Pure; the table decides when and whether. */
import type { JsonValue } from "../base/index.ts";
import type { Ask } from "../games/index.ts";
import type { Player, PlayerReply } from "../players/index.ts";
import { turnIdOf, type Turn } from "../records/index.ts";
import { sameJson } from "./ask-digest.ts";

/** An ask with its place in the order of the game. */
export interface PlacedAsk<Parsed extends JsonValue> {
  readonly seat: string;
  readonly count: number;
  readonly ask: Ask<Parsed>;
  readonly player: Player;
  readonly sequence: number;
  /** Of seat, count and ask: what a record is compared by. */
  readonly digest: string;
}

export interface TurnMaking<Parsed extends JsonValue> extends PlacedAsk<Parsed> {
  readonly episodeId: string;
  readonly siblingIndex: number;
  readonly durationMs: number;
}

/** The turn of a reply; null where the context left no room for one. */
export function makeTurn<Parsed extends JsonValue>(
  reply: PlayerReply,
  making: TurnMaking<Parsed>,
): Turn | null {
  if (reply.kind === "limit") return null;
  const { episodeId, sequence, siblingIndex } = making;
  return {
    id: turnIdOf(episodeId, sequence, siblingIndex),
    episodeId,
    seat: making.seat,
    sequence,
    siblingIndex,
    contextParent: reply.startsNewContext ? null : (making.ask.from?.turnId ?? null),
    player: making.player.reference,
    spans: reply.spans,
    logprobs: reply.logprobs,
    sampling: reply.sampling,
    finishReason: reply.finishReason,
    text: reply.text,
    parsed: sameJson(making.ask.parse(reply.text)),
    durationMs: making.durationMs,
  };
}
