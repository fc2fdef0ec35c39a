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
  readonly contextParent: string | null;
  /** The turn that was asked from; its words lie before these also where the ids start anew. */
  readonly askedFrom: string | null;
  readonly spans: readonly Span[];
  readonly words: readonly Segment[];
}

export class TurnContexts {
  readonly #links = new Map<string, Link>();
  readonly #images: ((imageDigest: string) => ImageChunk) | undefined;

  constructor(images: ((imageDigest: string) => ImageChunk) | undefined) {
    this.#images = images;
  }

  add(turn: Turn, prompt: readonly Segment[], askedFrom: string | null): void {
    const words: readonly Segment[] = [...prompt, { kind: "text", role: "assistant", text: turn.text }];
    this.#links.set(turn.id, { contextParent: turn.contextParent, askedFrom, spans: turn.spans, words });
  }

  /** @throws `unknown-turn` */
  of(turnId: string | null): TurnContext {
    const chunks = this.#chain(turnId, (link) => link.contextParent).flatMap((link) =>
      link.spans.map((span) => this.#chunkOf(span)),
    );
    const history = this.#chain(turnId, (link) => link.askedFrom).flatMap((link) => link.words);
    return { chunks, history };
  }

  #chain(turnId: string | null, before: (link: Link) => string | null): Link[] {
    const chain: Link[] = [];
    for (let id = turnId; id !== null;) {
      const link = this.#links.get(id);
      if (link === undefined)
        throw gameError("unknown-turn", `expected to go on from a turn of this episode, got ${id}`);
      chain.push(link);
      id = before(link);
    }
    return chain.toReversed();
  }

  #chunkOf(span: Span): Chunk {
    if (span.kind !== "image") return tokens(span.tokenIds);
    if (this.#images !== undefined) return this.#images(span.imageDigest);
    throw gameError("image-missing", `expected an image with digest ${span.imageDigest}, none were given`);
  }
}
