/**
 * Prompts through a model's chat template. A fresh context is rendered whole; a later turn adds the
 * tail that the template writes after a reply, so that sampled ids stay what they were.
 */
import { SparError, type JsonObject } from "../base/index.ts";
import type { Chunk, TokenId } from "../contract/index.ts";
import { chatTemplate, type ChatMessage, type ChatTemplate } from "./chat-template.ts";
import {
  inspectTemplate,
  notPrefixPreserving,
  type PrefixCheck,
  type RewritingPolicy,
} from "./prefix-check.ts";
import {
  assemblePrompt,
  decodeReply,
  lastTokenId,
  type PromptPart,
  type PromptRenderer,
  type PromptSegment,
  type RenderedPrompt,
  type RenderOptions,
} from "./prompt-renderer.ts";
import { tokenizerDigest } from "./tokenizer-files.ts";
import type { Tokenizer } from "./tokenizer.ts";

export interface ChatRendererOptions {
  /** Jinja source; default: the tokenizer's own template. */
  readonly template?: string;
  /** Where the template would rewrite earlier turns. Default `refuse`. */
  readonly whenRewriting?: RewritingPolicy;
  /** Switches of the template, such as `enable_thinking`. */
  readonly variables?: JsonObject;
  /** Further tokens that end a reply, by their text. */
  readonly stopTokens?: readonly string[];
  /** The text that the template writes in the place of an image, such as `<|image_pad|>`. */
  readonly imagePlaceholder?: string;
  /** The day that templates print which ask for today's date. Default `2024-07-26`. */
  readonly date?: string;
}

export interface ChatRenderer extends PromptRenderer {
  /** Whether the template keeps earlier turns; found out once, when first asked. */
  prefixCheck(): PrefixCheck;
  readonly whenRewriting: RewritingPolicy;
}

/**
 * @throws `template-missing` where neither options nor tokenizer bring one, `template-invalid`
 * where it is no Jinja, `template-failed` where it cannot show a reply, `unknown-symbol` where a
 * stop token is not in the vocabulary.
 */
export function chatRenderer(tokenizer: Tokenizer, options: ChatRendererOptions = {}): ChatRenderer {
  const source = options.template ?? tokenizer.chatTemplate;
  if (source === null) throw templateMissing();
  const { whenRewriting = "refuse", variables = {}, date = "2024-07-26", imagePlaceholder } = options;
  const template = chatTemplate({ source, namedTokens: tokenizer.namedTokens, variables, date });
  const stopTokenIds = findStopTokens(tokenizer, template, options.stopTokens ?? []);
  let check: PrefixCheck | null = null;
  const prefixCheck = (): PrefixCheck => (check ??= inspectTemplate(template));
  const assemble = (text: string, segments: readonly PromptSegment[], images: RenderOptions["images"]) =>
    assemblePrompt(splitAtImages(text, segments, imagePlaceholder), {
      tokenizer,
      startsNewContext: true,
      ...(images === undefined ? {} : { images }),
    });

  return {
    render: (segments, { context = [], history, images } = {}) => {
      const behind =
        context.length === 0 ? (history ?? []) : earlierSegments(prefixCheck(), whenRewriting, history);
      if (behind !== "context") {
        const whole = [...behind, ...segments];
        return assemble(template.opened(toMessages(whole)), whole, images);
      }
      const tail = assemble(template.tail(toMessages(segments)), segments, images);
      return { ...withoutRepeatedStop(tail, context, stopTokenIds), startsNewContext: false };
    },
    decode: (tokenIds) => decodeReply(tokenizer, stopTokenIds, tokenIds),
    stopTokenIds,
    describe: () => ({
      kind: "chat",
      template: source,
      variables,
      date,
      whenRewriting,
      imagePlaceholder: imagePlaceholder ?? null,
      stopTokenIds,
      tokenizerDigest: tokenizerDigest(tokenizer.definition),
    }),
    prefixCheck,
    whenRewriting,
    tokenizer,
  };
}

/**
 * For recipes with several turns per context, before they start: refuses a template that rewrites
 * earlier turns, unless the renderer was told what to do about it.
 *
 * @throws `template-not-prefix-preserving`
 */
export function checkPrefixPreserving(renderer: ChatRenderer): PrefixCheck {
  const check = renderer.prefixCheck();
  if (check.kind === "rewriting" && renderer.whenRewriting === "refuse") throw notPrefixPreserving(check);
  return check;
}

/** The segments that a new context begins with, or `context` where the one there is extended. */
function earlierSegments(
  check: PrefixCheck,
  whenRewriting: RewritingPolicy,
  history: readonly PromptSegment[] | undefined,
): readonly PromptSegment[] | "context" {
  if (check.kind === "preserving" || whenRewriting === "keep-ids") return "context";
  if (whenRewriting === "refuse") throw notPrefixPreserving(check);
  if (history !== undefined) return history;
  throw new SparError({
    code: "history-missing",
    boundary: "text",
    message: "a new context was to be rendered, and the segments behind the old one were not given",
    hint: 'pass the option history, or choose whenRewriting "keep-ids"',
  });
}

/** A reply that was sampled to its end has its closing token already; one that was cut gets it here. */
function withoutRepeatedStop(
  tail: RenderedPrompt,
  context: readonly Chunk[],
  stopTokenIds: readonly TokenId[],
): RenderedPrompt {
  const last = lastTokenId(context);
  const [firstChunk, ...chunks] = tail.chunks;
  const [firstSpan, ...spans] = tail.spans;
  const isRepeated =
    last !== null &&
    stopTokenIds.includes(last) &&
    firstChunk?.kind === "tokens" &&
    firstChunk.tokenIds[0] === last;
  if (!isRepeated || firstSpan?.kind !== "rendered") return tail;
  const rest = firstChunk.tokenIds.slice(1);
  return {
    startsNewContext: tail.startsNewContext,
    chunks: rest.length === 0 ? chunks : [{ kind: "tokens", tokenIds: rest }, ...chunks],
    spans: rest.length === 0 ? spans : [{ kind: "rendered", tokenIds: rest }, ...spans],
    tokenIds: tail.tokenIds.slice(1),
  };
}

/** The template's closing token first, then the tokenizer's end of text, then those that were named. */
function findStopTokens(tokenizer: Tokenizer, template: ChatTemplate, named: readonly string[]): TokenId[] {
  const [first] = tokenizer.encode(template.closing());
  const closes = first !== undefined && (tokenizer.isSpecial(first) || first === tokenizer.endOfTextId);
  const further = named.map((token) => {
    const tokenId = tokenizer.tokenToId(token);
    if (tokenId !== null) return tokenId;
    throw new SparError({
      code: "unknown-symbol",
      boundary: "text",
      message: `the stop token ${JSON.stringify(token)} is not in the vocabulary`,
      hint: "name a token of tokenizer.json",
      facts: { symbol: token },
    });
  });
  const endOfText = tokenizer.endOfTextId === null ? [] : [tokenizer.endOfTextId];
  return [...new Set([...(closes ? [first] : []), ...endOfText, ...further])];
}

/** Neighbouring segments of one role are one message. */
function toMessages(segments: readonly PromptSegment[]): ChatMessage[] {
  const groups: { role: string; segments: PromptSegment[] }[] = [];
  for (const segment of segments) {
    const last = groups.at(-1);
    if (last?.role === segment.role) last.segments.push(segment);
    else groups.push({ role: segment.role, segments: [segment] });
  }
  return groups.map(({ role, segments: parts }) => {
    if (parts.every((part) => part.kind === "text")) {
      return { role, content: parts.map((part) => part.text).join("") };
    }
    return {
      role,
      content: parts.map((part) =>
        part.kind === "text" ? ({ type: "text", text: part.text } as const) : ({ type: "image" } as const),
      ),
    };
  });
}

/** The rendered text with the images of the segments in the places that the template gave them. */
function splitAtImages(
  text: string,
  segments: readonly PromptSegment[],
  imagePlaceholder: string | undefined,
): PromptPart[] {
  const digests = segments.flatMap((segment) => (segment.kind === "image" ? [segment.imageDigest] : []));
  const texts = imagePlaceholder === undefined ? [text] : text.split(imagePlaceholder);
  if (texts.length - 1 !== digests.length) {
    throw new SparError({
      code: "image-placeholder-mismatch",
      boundary: "text",
      message: `the template wrote ${texts.length - 1} image placeholders for ${digests.length} images`,
      hint: "set imagePlaceholder to what this template writes for an image, and keep it out of texts",
    });
  }
  return texts.flatMap((part, index) => {
    const imageDigest = digests[index];
    return imageDigest === undefined ? [{ text: part }] : [{ text: part }, { imageDigest }];
  });
}

function templateMissing(): SparError {
  return new SparError({
    code: "template-missing",
    boundary: "text",
    message: "the tokenizer brings no chat template",
    hint: "pass the option template, or use plainRenderer for a model without roles",
  });
}
