/** What a game sees of a turn. */
import { copyJson, type JsonValue } from "../base/index.ts";
import type { TurnView } from "../games/index.ts";
import type { Turn } from "../records/index.ts";

/** A turn without its ids. The game may do with it what it likes: the record does not change. */
export function viewOf<Parsed extends JsonValue>(turn: Turn): TurnView<Parsed> {
  return {
    turnId: turn.id,
    text: turn.text,
    // What the parser of this ask made of the text, now or before the run was interrupted.
    parsed: copyJson(turn.parsed) as Parsed,
    finishReason: turn.finishReason,
    meanLogprob: meanOf(turn.logprobs),
  };
}

function meanOf(logprobs: Float32Array): number | null {
  if (logprobs.length === 0) return null;
  let sum = 0;
  for (const logprob of logprobs) sum += logprob;
  return sum / logprobs.length;
}
