/** The reply of a player without tokens: text alone. */
import type { PlayerReply } from "./player.ts";

export function textReply(text: string): Extract<PlayerReply, { readonly kind: "reply" }> {
  return {
    kind: "reply",
    spans: [],
    startsNewContext: false,
    logprobs: new Float32Array(),
    text,
    finishReason: null,
    sampling: null,
  };
}
