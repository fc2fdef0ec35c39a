/**
 * What goes into a model: chunks of token ids and images, and datums (one training row each).
 * Targets are already shifted: input = ids[:-1], targets = ids[1:]. Knows no text and no template.
 */
import type { JsonValue } from "../base/index.ts";

/** A token id: an integer below the vocabulary size of the model at hand. */
export type TokenId = number;

export interface TokenChunk {
  readonly kind: "tokens";
  readonly tokenIds: readonly TokenId[];
}

export interface ImageChunk {
  readonly kind: "image";
  /** Pixels as the engine takes them, row-major, `channels` values per pixel in 0 .. 255. */
  readonly pixels: Uint8Array;
  readonly widthPixels: number;
  readonly heightPixels: number;
  readonly channels: 1 | 3;
  /** The number of positions that the image occupies: what `engine.imagePositions` said. */
  readonly positionCount: number;
}

export type Chunk = TokenChunk | ImageChunk;

/** The number of positions that chunks occupy. */
export function countPositions(chunks: readonly Chunk[]): number {
  return chunks.reduce(
    (sum, chunk) => sum + (chunk.kind === "tokens" ? chunk.tokenIds.length : chunk.positionCount),
    0,
  );
}

/** One chunk of token ids. */
export function tokens(tokenIds: readonly TokenId[]): TokenChunk {
  return { kind: "tokens", tokenIds };
}

/** Per-row numbers that a custom loss reads: one number, or one per target. */
export type DatumConstant = number | Float32Array;

/**
 * One training row. Every per-token array has the length of `targets`; at image positions the
 * target is 0 with weight 0.
 *
 * @shape targets, weights, advantages, behaviorLogprobs: `[T]` with T = positions of `input`
 */
export interface Datum {
  readonly input: readonly Chunk[];
  readonly targets: Int32Array;
  /** Derived mask times the weight of the row; zero where the token is not trained. */
  readonly weights: Float32Array;
  readonly advantages?: Float32Array;
  /** Log-probabilities of the targets as the sampler gave them; zero where nothing was sampled. */
  readonly behaviorLogprobs?: Float32Array;
  readonly constants?: Readonly<Record<string, DatumConstant>>;
  /** Rows that a loss or a baseline looks at together share it: a pair is two rows of one group. */
  readonly groupId?: string;
  /** Where the row came from; engines ignore it. */
  readonly origin?: DatumOrigin;
}

export interface DatumOrigin {
  /** Ids of the turns whose sampled tokens are trained; empty for rows built from text. */
  readonly turnIds: readonly string[];
  /** True where the row was trained on before. */
  readonly isReplayed: boolean;
  /** Whatever else the builder wants to remember. */
  readonly note?: JsonValue;
}
