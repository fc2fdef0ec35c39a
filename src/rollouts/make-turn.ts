/** From a player's reply to the turn that is recorded. Pure; the table decides when and whether. */
import { copyJson, type JsonValue } from "../base/index.ts";
import type { Ask, Segment } from "../games/index.ts";
import type { Player, PlayerReply } from "../players/index.ts";
import { turnIdOf, type Turn } from "../records/index.ts";
import { toParserError } from "./rollout-errors.ts";

/** An ask with its place in the order of the game. */
export interface PlacedAsk<Parsed extends JsonValue> {
  readonly seat: string;
  readonly count: number;
  readonly ask: Ask<Parsed>;
  /** A copy of the prompt: what the game does with its own afterwards changes nothing. */
  readonly prompt: readonly Segment[];
  readonly player: Player;
  readonly sequence: number;
  /** Of seat, count and ask: what a record is compared by. Empty where nothing is recorded. */
  readonly digest: string;
}

export interface TurnPlace {
  readonly episodeId: string;
  readonly siblingIndex: number;
  readonly durationMs: number;
}

/** The turn of a reply. @throws `game-failed` where the game's parser throws or gives no JSON */
export function makeTurn<Parsed extends JsonValue>(
  asked: PlacedAsk<Parsed>,
  reply: Extract<PlayerReply, { readonly kind: "reply" }>,
  { episodeId, siblingIndex, durationMs }: TurnPlace,
): Turn {
  const { seat, sequence, ask } = asked;
  // Half a surrogate pair would come back from the record as another character.
  const text = reply.text.toWellFormed();
  return {
    id: turnIdOf(episodeId, sequence, siblingIndex),
    episodeId,
    seat,
    sequence,
    siblingIndex,
    contextParent: reply.startsNewContext ? null : (ask.from?.turnId ?? null),
    player: asked.player.reference,
    spans: reply.spans,
    logprobs: reply.logprobs,
    sampling: reply.sampling,
    finishReason: reply.finishReason,
    text,
    parsed: parse(asked, text),
    durationMs,
  };
}

function parse<Parsed extends JsonValue>({ ask, seat }: PlacedAsk<Parsed>, text: string): JsonValue {
  try {
    return copyJson(ask.parse(text));
  } catch (thrown) {
    throw toParserError(thrown, seat);
  }
}
