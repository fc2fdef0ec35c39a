/** The reply of a player without tokens: text alone. */
import type { Span } from "../records/index.ts";
import type { PlayerReply } from "./player.ts";

/** Shared by all: an empty array holds nothing that could be changed. */
const noLogprobs = new Float32Array();
const noSpans: readonly Span[] = Object.freeze<Span[]>([]);

export function textReply(text: string): Extract<PlayerReply, { readonly kind: "reply" }> {
  return {
    kind: "reply",
    spans: noSpans,
    startsNewContext: false,
    logprobs: noLogprobs,
    text,
    finishReason: null,
    sampling: null,
  };
}
