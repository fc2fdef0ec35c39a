/**
 * Prompts without roles, for tiny models: the texts of the segments one after another. Nothing is
 * added that the options do not name.
 */
import { tokenizerDigest } from "./tokenizer-files.ts";
import {
  assemblePrompt,
  decodeReply,
  exchangesOf,
  partOf,
  type PromptPart,
  type PromptRenderer,
  type PromptSegment,
} from "./prompt-renderer.ts";
import type { Tokenizer } from "./tokenizer.ts";

export interface PlainRendererOptions {
  /** Between two segments, and between a reply and the segment that follows it. Default empty. */
  readonly separator?: string;
  /** At the start of a fresh context, such as a token for the beginning of a text. Default empty. */
  readonly prefix?: string;
  /** After the last segment, where the reply begins. Default empty. */
  readonly suffix?: string;
}

/** A renderer that puts texts together; it stops at the tokenizer's end-of-text token where there is one. */
export function plainRenderer(tokenizer: Tokenizer, options: PlainRendererOptions = {}): PromptRenderer {
  const { separator = "", prefix = "", suffix = "" } = options;
  const stopTokenIds = tokenizer.endOfTextId === null ? [] : [tokenizer.endOfTextId];
  return {
    render: (segments, { context = [], history = [], images } = {}) => {
      const startsNewContext = context.length === 0;
      const opening = startsNewContext ? prefix : separator;
      const earlier = exchangesOf(startsNewContext ? history : []).flatMap(({ prompt, reply }) => [
        ...separated(prompt, separator),
        { text: suffix },
        partOf(reply),
        { text: separator },
      ]);
      const parts = joinTexts([
        { text: opening },
        ...earlier,
        ...separated(segments, separator),
        { text: suffix },
      ]);
      return assemblePrompt(parts, {
        tokenizer,
        startsNewContext,
        ...(images === undefined ? {} : { images }),
      });
    },
    decode: (tokenIds) => decodeReply(tokenizer, stopTokenIds, tokenIds),
    stopTokenIds,
    describe: () => ({
      kind: "plain",
      separator,
      prefix,
      suffix,
      tokenizerDigest: tokenizerDigest(tokenizer.definition),
    }),
    tokenizer,
  };
}

function separated(segments: readonly PromptSegment[], separator: string): PromptPart[] {
  return segments.flatMap((segment, segmentIndex) => {
    return segmentIndex === 0 ? [partOf(segment)] : [{ text: separator }, partOf(segment)];
  });
}

/** Neighbouring texts become one, so that tokens may span them. */
export function joinTexts(parts: readonly PromptPart[]): PromptPart[] {
  const joined: PromptPart[] = [];
  for (const part of parts) {
    const last = joined.at(-1);
    if ("text" in part && last !== undefined && "text" in last)
      joined[joined.length - 1] = { text: last.text + part.text };
    else joined.push(part);
  }
  return joined;
}
