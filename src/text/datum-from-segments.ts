/**
 * Rows from text that was never sampled in this context: human answers, rewritten dialogues,
 * distilled prompts. Each segment is tokenised alone, so an answer has the same ids whatever stands
 * before it. Knows no template: a prompt with one comes in as ids.
 */
import { assert, type JsonValue } from "../base/index.ts";
import type { Datum, ImageChunk, TokenId } from "../contract/index.ts";
import {
  datumFields,
  datumFromParts,
  partLength,
  rowError,
  type DatumFields,
  type RowPart,
} from "./datum-row.ts";
import type { Tokenizer } from "./tokenizer.ts";

interface SegmentSettings {
  /** Whether its tokens are trained. */
  readonly train: boolean;
  /** Adds the stop token after it, trained as the segment is; a segment cut at its end loses it. */
  readonly close?: boolean;
  /** The most tokens of this segment, its stop token included. */
  readonly maxTokens?: number;
  /** Which end goes where a budget is exceeded; without it the row is refused instead. */
  readonly cut?: "start" | "end";
}

/** A part of a row: text, ids that exist already, or an image. */
export type DataSegment =
  | (SegmentSettings & { readonly text: string })
  | (SegmentSettings & { readonly tokenIds: readonly TokenId[] })
  | { readonly image: ImageChunk };

export interface DatumFromSegmentsOptions extends DatumFields {
  readonly tokenizer: Tokenizer;
  /** What closes a segment. Default: the tokenizer's end-of-text token. */
  readonly stopTokenId?: TokenId;
  /** The most positions of the row; what is over is taken from segments with `cut`, in their order. */
  readonly maxTokens?: number;
  /** The weight of every trained token. Default 1. */
  readonly weight?: number;
  /** Adds one unweighted stop token, so that the last position of a value head's row has a target. */
  readonly isValueRow?: boolean;
}

/**
 * Builds one row; `origin.note.cutTokens` says how many tokens budgets took, where they took any.
 *
 * @throws `row-too-long` where a budget is exceeded and nothing may be cut, `nothing-to-train`,
 * `row-too-short`, `row-starts-trained`, `row-ends-in-image` where the segments make no row,
 * `unknown-symbol` from the tokenizer, `stop-token-missing` where there is nothing to close with.
 */
export function datumFromSegments(
  segments: readonly DataSegment[],
  options: DatumFromSegmentsOptions,
): Datum {
  const pieces = segments.map((segment) => toPiece(segment, options));
  const before = totalLength(pieces);
  for (const piece of pieces) if (piece.kind === "tokens") fitSegment(piece);
  const closing = options.isValueRow === true ? 1 : 0;
  if (options.maxTokens !== undefined) fitRow(pieces, options.maxTokens - closing);
  const cutTokens = before - totalLength(pieces);
  const parts = pieces.map((piece) => toPart(piece, options.weight ?? 1));
  if (options.isValueRow === true) parts.push({ kind: "context", tokenIds: [stopToken(options)] });
  const note: JsonValue | undefined = cutTokens === 0 ? undefined : { cutTokens };
  return datumFromParts(parts, {
    ...datumFields(options),
    turnIds: [],
    needsTrained: options.isValueRow !== true,
    ...(note === undefined ? {} : { note }),
  });
}

type Piece =
  | { readonly kind: "image"; readonly image: ImageChunk }
  | { readonly kind: "tokens"; tokenIds: readonly TokenId[]; readonly settings: SegmentSettings };

function toPiece(segment: DataSegment, options: DatumFromSegmentsOptions): Piece {
  if ("image" in segment) return { kind: "image", image: segment.image };
  const tokenIds = "text" in segment ? options.tokenizer.encode(segment.text) : segment.tokenIds;
  return {
    kind: "tokens",
    tokenIds: segment.close === true ? [...tokenIds, stopToken(options)] : tokenIds,
    settings: segment,
  };
}

function fitSegment(piece: Extract<Piece, { kind: "tokens" }>): void {
  const { maxTokens } = piece.settings;
  if (maxTokens === undefined) return;
  assert(Number.isInteger(maxTokens) && maxTokens >= 0, `maxTokens must be a whole number, got ${maxTokens}`);
  const excess = piece.tokenIds.length - maxTokens;
  if (excess <= 0) return;
  if (piece.settings.cut === undefined) throw tooLong(piece.tokenIds.length, maxTokens, "a segment");
  cutPiece(piece, excess);
}

function fitRow(pieces: readonly Piece[], maxTokens: number): void {
  const length = totalLength(pieces);
  let excess = length - maxTokens;
  for (const piece of pieces) {
    if (excess <= 0) return;
    if (piece.kind !== "tokens" || piece.settings.cut === undefined) continue;
    const taken = Math.min(excess, piece.tokenIds.length);
    cutPiece(piece, taken);
    excess -= taken;
  }
  if (excess > 0) throw tooLong(length, maxTokens, "a row");
}

function cutPiece(piece: Extract<Piece, { kind: "tokens" }>, count: number): void {
  const { tokenIds, settings } = piece;
  piece.tokenIds =
    settings.cut === "start" ? tokenIds.slice(count) : tokenIds.slice(0, tokenIds.length - count);
}

function toPart(piece: Piece, weight: number): RowPart {
  if (piece.kind === "image") return { kind: "image", image: piece.image };
  const { tokenIds } = piece;
  return piece.settings.train ? { kind: "trained", tokenIds, weight } : { kind: "context", tokenIds };
}

function totalLength(pieces: readonly Piece[]): number {
  return pieces.reduce((sum, piece) => sum + partLength(toPart(piece, 1)), 0);
}

function stopToken(options: DatumFromSegmentsOptions): TokenId {
  const stopTokenId = options.stopTokenId ?? options.tokenizer.endOfTextId;
  if (stopTokenId !== null) return stopTokenId;
  throw rowError(
    "stop-token-missing",
    "a segment is to be closed, and the tokenizer names no end-of-text token",
    "pass stopTokenId, such as the first of the renderer's stopTokenIds",
  );
}

function tooLong(length: number, maxTokens: number, what: string): Error {
  return rowError(
    "row-too-long",
    `${what} may have ${maxTokens} tokens, got ${length}`,
    "allow more tokens, leave the row out, or say with cut which end may go",
  );
}
