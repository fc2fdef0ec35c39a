/** What a game sees of a turn. */
import type { JsonValue } from "../base/index.ts";
import type { TurnView } from "../games/index.ts";
import type { Turn } from "../records/index.ts";

/** A turn without its ids. */
export function viewOf<Parsed extends JsonValue>(turn: Turn): TurnView<Parsed> {
  const sum = turn.logprobs.reduce((total, logprob) => total + logprob, 0);
  return {
    turnId: turn.id,
    text: turn.text,
    // What the parser of this ask made of the text, now or before the run was interrupted.
    parsed: turn.parsed as Parsed,
    finishReason: turn.finishReason,
    meanLogprob: turn.logprobs.length === 0 ? null : sum / turn.logprobs.length,
  };
}
