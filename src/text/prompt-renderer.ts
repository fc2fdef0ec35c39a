/**
 * What turns the segments of a prompt into ids. The first prompt of a context is rendered whole;
 * later ones are added to the ids that are there, never rendered anew (promise 1). Knows no game: a
 * game's segments have this shape.
 */
import { SparError, type JsonObject } from "../base/index.ts";
import { tokens, type Chunk, type ImageChunk, type TokenId } from "../contract/index.ts";
import type { Span } from "../records/index.ts";
import type { Tokenizer } from "./tokenizer.ts";

/** A part of a prompt: text in a role, or an image by its content hash. */
export type PromptSegment =
  | { readonly kind: "text"; readonly role: string; readonly text: string }
  | { readonly kind: "image"; readonly role: string; readonly imageDigest: string };

export interface RenderOptions {
  /** The ids and images so far, sampled ones included; empty or left out for a fresh context. */
  readonly context?: readonly Chunk[];
  /**
   * The segments and replies (in the role `assistant`) so far; read only where a renderer starts a new
   * context: where the replies came from somebody without ids, `context` is empty and this is not.
   */
  readonly history?: readonly PromptSegment[];
  /** Finds an image with the number of positions that the engine gives it. */
  readonly images?: (imageDigest: string) => ImageChunk;
}

export interface RenderedPrompt {
  /** True where `chunks` is a whole prompt that replaces the context: a new datum begins. */
  readonly startsNewContext: boolean;
  /** What is added to the context, images included. */
  readonly chunks: readonly Chunk[];
  /** The same as spans of a turn. */
  readonly spans: readonly Span[];
  /** The ids of `chunks` without images. */
  readonly tokenIds: readonly TokenId[];
}

export interface PromptRenderer {
  /**
   * @throws `template-failed` where a template refuses the segments,
   * `template-not-prefix-preserving` where a context cannot be extended by ids,
   * `image-missing` where a segment names an image that `images` does not give.
   */
  render(segments: readonly PromptSegment[], options?: RenderOptions): RenderedPrompt;
  /** The text of a reply: without its closing token and without special tokens. */
  decode(tokenIds: readonly TokenId[]): string;
  /** Sampling ends after one of these; the first closes an answer in training data. */
  readonly stopTokenIds: readonly TokenId[];
  /** What is stored with the run, so that it is known later how text became ids. */
  describe(): JsonObject;
  readonly tokenizer: Tokenizer;
}

/** A prompt and what was replied to it. */
export interface Exchange {
  readonly prompt: readonly PromptSegment[];
  readonly reply: PromptSegment;
}

/** A history in its exchanges; segments after the last reply are left out, since nobody has answered them. */
export function exchangesOf(history: readonly PromptSegment[]): readonly Exchange[] {
  const exchanges: Exchange[] = [];
  let prompt: PromptSegment[] = [];
  for (const segment of history) {
    if (segment.role === "assistant") {
      exchanges.push({ prompt, reply: segment });
      prompt = [];
    } else prompt.push(segment);
  }
  return exchanges;
}

/** A segment without its role. */
export function partOf(segment: PromptSegment): PromptPart {
  return segment.kind === "text" ? { text: segment.text } : { imageDigest: segment.imageDigest };
}

/** Text, or the digest of an image that stands in its place. */
export type PromptPart = { readonly text: string } | { readonly imageDigest: string };

/** Tokenises text parts alone and puts images between them. */
export function assemblePrompt(
  parts: readonly PromptPart[],
  options: {
    readonly tokenizer: Tokenizer;
    readonly images?: RenderOptions["images"];
    readonly startsNewContext: boolean;
  },
): RenderedPrompt {
  const chunks: Chunk[] = [];
  const spans: Span[] = [];
  for (const part of parts) {
    if ("text" in part) {
      const tokenIds = options.tokenizer.encode(part.text);
      if (tokenIds.length === 0) continue;
      chunks.push(tokens(tokenIds));
      spans.push({ kind: "rendered", tokenIds });
    } else {
      const image = findImage(part.imageDigest, options.images);
      chunks.push(image);
      spans.push({ kind: "image", imageDigest: part.imageDigest, positionCount: image.positionCount });
    }
  }
  const tokenIds = chunks.flatMap((chunk) => (chunk.kind === "tokens" ? chunk.tokenIds : []));
  return { startsNewContext: options.startsNewContext, chunks, spans, tokenIds };
}

/** @throws `image-missing` where nobody knows the image. */
export function findImage(imageDigest: string, images: RenderOptions["images"]): ImageChunk {
  if (images !== undefined) return images(imageDigest);
  throw new SparError({
    code: "image-missing",
    boundary: "text",
    message: `image ${imageDigest} was expected, and no images were given`,
    hint: "pass the option images, which finds an image by its digest",
    facts: { imageDigest },
  });
}

/** The last id of a context, or null where it is empty or ends in an image. */
export function lastTokenId(context: readonly Chunk[]): TokenId | null {
  const last = context.at(-1);
  return last?.kind === "tokens" ? (last.tokenIds.at(-1) ?? null) : null;
}

/** The text of a reply: what comes before its closing token, special tokens left out. */
export function decodeReply(
  tokenizer: Tokenizer,
  stopTokenIds: readonly TokenId[],
  tokenIds: readonly TokenId[],
): string {
  const last = tokenIds.at(-1);
  const closed = last !== undefined && stopTokenIds.includes(last);
  return tokenizer.decode(closed ? tokenIds.slice(0, -1) : tokenIds, { skipSpecial: true });
}
