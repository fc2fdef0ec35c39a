/** The contexts that turns of an episode leave behind: what a later ask can extend by ids. */
import { tokens, type Chunk, type ImageChunk } from "../contract/index.ts";
import type { Segment, TurnView } from "../games/index.ts";
import type { Span, Turn } from "../records/index.ts";
import { gameError } from "./rollout-errors.ts";

export interface TurnContext {
  readonly chunks: readonly Chunk[];
  /** Prompts and replies behind the chunks, replies in the role `assistant`. */
  readonly history: readonly Segment[];
}

interface Link {
  readonly turn: Turn;
  /** What the game was told of the turn. */
  readonly view: TurnView;
  /** The link that was asked from; its words lie before these also where the ids start anew. */
  readonly askedFrom: Link | null;
  readonly prompt: readonly Segment[];
  /** In the role `assistant`. */
  readonly reply: Segment;
  /** Segments of prompts and replies, these included. */
  readonly segmentCount: number;
}

const freshContext: TurnContext = { chunks: [], history: [] };

export class TurnContexts {
  readonly #links: Link[] = [];
  readonly #images: ((imageDigest: string) => ImageChunk) | undefined;

  constructor(images: ((imageDigest: string) => ImageChunk) | undefined) {
    this.#images = images;
  }

  add(
    turn: Turn,
    view: TurnView,
    asked: { readonly prompt: readonly Segment[]; readonly from: TurnView | undefined },
  ): void {
    const { prompt, from } = asked;
    const askedFrom = from === undefined ? null : this.#find(from);
    const segmentCount = (askedFrom?.segmentCount ?? 0) + prompt.length + 1;
    const reply: Segment = { kind: "text", role: "assistant", text: turn.text };
    this.#links.push({ turn, view, askedFrom, prompt, reply, segmentCount });
  }

  /** @throws `unknown-turn` */
  of(from: TurnView | undefined): TurnContext {
    if (from === undefined) return freshContext;
    const last = this.#find(from);
    return { chunks: this.#chunksOf(last), history: historyOf(last) };
  }

  #find(from: TurnView): Link {
    const link = this.#findTold(from) ?? this.#links.find(({ turn }) => turn.id === from.turnId);
    if (link === undefined)
      throw gameError("unknown-turn", `expected to go on from a turn of this episode, got ${from.turnId}`);
    return link;
  }

  /** Mostly a game gives back one of the last things that it was told: no texts need to be compared. */
  #findTold(from: TurnView): Link | undefined {
    for (let index = this.#links.length - 1; index >= 0; index--) {
      const link = this.#links[index];
      if (link?.view === from && link.turn.id === from.turnId) return link;
    }
    return undefined;
  }

  #chunksOf(last: Link): Chunk[] {
    const chunks: Chunk[] = [];
    for (let link: Link | null = last; link !== null; link = parentOf(link))
      for (let index = link.turn.spans.length - 1; index >= 0; index--)
        chunks.push(this.#chunkOf(link.turn.spans[index] as Span));
    return chunks.length < 2 ? chunks : chunks.toReversed();
  }

  #chunkOf(span: Span): Chunk {
    if (span.kind !== "image") return tokens(span.tokenIds);
    if (this.#images !== undefined) return this.#images(span.imageDigest);
    throw gameError("image-missing", `expected an image with digest ${span.imageDigest}, none were given`);
  }
}

/** The link whose ids those of this one extend. */
function parentOf({ turn, askedFrom }: Link): Link | null {
  return turn.contextParent === null ? null : askedFrom;
}

/** From the oldest to this one, filled from its end. */
function historyOf(last: Link): Segment[] {
  const history = Array<Segment>(last.segmentCount);
  let start = history.length;
  for (let link: Link | null = last; link !== null; link = link.askedFrom) {
    history[--start] = link.reply;
    start -= link.prompt.length;
    for (let index = 0; index < link.prompt.length; index++)
      history[start + index] = link.prompt[index] as Segment;
  }
  return history;
}
