/** The contexts that turns of an episode leave behind: what a later ask can extend by ids. */
import { tokens, type Chunk, type ImageChunk } from "../contract/index.ts";
import type { Segment } from "../games/index.ts";
import type { Span, Turn } from "../records/index.ts";
import { gameError } from "./rollout-errors.ts";

export interface TurnContext {
  readonly chunks: readonly Chunk[];
  /** Prompts and replies behind the chunks, replies in the role `assistant`. */
  readonly history: readonly Segment[];
}

interface Link {
  /** The link whose ids these spans extend; null where they begin a context. */
  readonly contextParent: Link | null;
  /** The link that was asked from; its words lie before these also where the ids start anew. */
  readonly askedFrom: Link | null;
  readonly spans: readonly Span[];
  readonly prompt: readonly Segment[];
  /** In the role `assistant`. */
  readonly reply: Segment;
}

const freshContext: TurnContext = { chunks: [], history: [] };

export class TurnContexts {
  readonly #links = new Map<string, Link>();
  readonly #images: ((imageDigest: string) => ImageChunk) | undefined;

  constructor(images: ((imageDigest: string) => ImageChunk) | undefined) {
    this.#images = images;
  }

  add(turn: Turn, prompt: readonly Segment[], askedFrom: string | null): void {
    const from = askedFrom === null ? null : this.#find(askedFrom);
    const contextParent = turn.contextParent === null ? null : from;
    const reply: Segment = { kind: "text", role: "assistant", text: turn.text };
    this.#links.set(turn.id, { contextParent, askedFrom: from, spans: turn.spans, prompt, reply });
  }

  /** @throws `unknown-turn` */
  of(turnId: string | null): TurnContext {
    if (turnId === null) return freshContext;
    const last = this.#find(turnId);
    const chunks: Chunk[] = [];
    for (const { spans } of chain(last, "contextParent"))
      for (const span of spans) chunks.push(this.#chunkOf(span));
    const history: Segment[] = [];
    for (const { prompt, reply } of chain(last, "askedFrom")) {
      for (const segment of prompt) history.push(segment);
      history.push(reply);
    }
    return { chunks, history };
  }

  #find(turnId: string): Link {
    const link = this.#links.get(turnId);
    if (link === undefined)
      throw gameError("unknown-turn", `expected to go on from a turn of this episode, got ${turnId}`);
    return link;
  }

  #chunkOf(span: Span): Chunk {
    if (span.kind !== "image") return tokens(span.tokenIds);
    if (this.#images !== undefined) return this.#images(span.imageDigest);
    throw gameError("image-missing", `expected an image with digest ${span.imageDigest}, none were given`);
  }
}

/** From the oldest to this one. */
function chain(last: Link, before: "contextParent" | "askedFrom"): Link[] {
  const links: Link[] = [];
  for (let link: Link | null = last; link !== null; link = link[before]) links.push(link);
  return links.toReversed();
}
