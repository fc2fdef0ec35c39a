/** From a game's ask to what its player is asked: rules stay behind, ids and words of the context come in. */
import type { JsonValue } from "../base/index.ts";
import type { PlayerRequest } from "../players/index.ts";
import type { PlacedAsk } from "./make-turn.ts";
import type { TurnContext } from "./turn-contexts.ts";

/** What the table adds to an ask. */
export interface RequestPlace {
  readonly context: TurnContext;
  /** Of the whole episode; siblings share it. */
  readonly tokensLeft: number;
  readonly seed: number;
}

export function requestOf<Parsed extends JsonValue>(
  { seat, ask, prompt, count }: PlacedAsk<Parsed>,
  { context, tokensLeft, seed }: RequestPlace,
): PlayerRequest {
  return {
    seat,
    segments: prompt,
    context: context.chunks,
    history: context.history,
    maxTokens: Math.min(ask.maxTokens ?? tokensLeft, Math.floor(tokensLeft / count)),
    stopStrings: ask.stopStrings ?? [],
    force: ask.force ?? null,
    choices: ask.choices ?? null,
    position: ask.position ?? null,
    count,
    seed,
  };
}
