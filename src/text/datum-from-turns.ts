/**
 * Rows from turns: the ids of a chain of contexts as they were, trained where they were sampled.
 * The mask comes from the spans alone; the token that ended a reply was sampled and is trained,
 * what was rendered or forced is not. Knows no text.
 */
import { SparError, assert } from "../base/index.ts";
import type { Datum, ImageChunk } from "../contract/index.ts";
import type { Span, Turn } from "../records/index.ts";
import { datumFields, datumFromParts, rowError, type DatumFields, type RowPart } from "./datum-row.ts";

export interface DatumFromTurnsOptions extends DatumFields {
  /** Which turns are trained. Default: all of the chain. */
  readonly train?: (turn: Turn) => boolean;
  /** The weight of a trained turn's tokens. Default 1. */
  readonly weight?: number | ((turn: Turn) => number);
  /** The advantage of a trained turn: one number, or one per sampled token. */
  readonly advantages?: number | ((turn: Turn) => number | Float32Array);
  /** Finds the images of the chain with the positions that they had. */
  readonly images?: (imageDigest: string) => ImageChunk;
}

/**
 * Builds one row from a chain of turns, root first. Behaviour log-probabilities are those that the
 * sampler returned, at the positions of their targets.
 *
 * @throws `context-chain-broken` where a turn does not extend the one before it,
 * `turn-without-tokens` where a trained turn has none, `nothing-to-train` where no trained turn
 * sampled anything, `image-missing` where an image cannot be found.
 */
export function datumFromTurns(turns: readonly Turn[], options: DatumFromTurnsOptions = {}): Datum {
  checkChain(turns);
  const trainedTurns = turns.filter(options.train ?? (() => true));
  for (const turn of trainedTurns) {
    if (turn.spans.length > 0) continue;
    throw rowError(
      "turn-without-tokens",
      `turn ${turn.id} of ${turn.player.name} has text only`,
      "train on it with datumFromSegments, or leave it out with train",
    );
  }
  const parts = turns.flatMap((turn) => turnParts(turn, trainedTurns.includes(turn), options));
  const sampledTurns = trainedTurns.filter((turn) => sampledCount(turn) > 0);
  return datumFromParts(parts, {
    ...datumFields(options),
    turnIds: sampledTurns.map((turn) => turn.id),
    needsTrained: true,
  });
}

/** The chain of contexts that ends in a turn, root first, picked from the turns of its episode. */
export function contextChain(turnId: string, turns: readonly Turn[]): Turn[] {
  const byId = new Map(turns.map((turn) => [turn.id, turn]));
  const chain: Turn[] = [];
  let next: string | null = turnId;
  while (next !== null) {
    const turn = byId.get(next);
    if (turn === undefined || chain.includes(turn)) {
      throw chainBroken(`turn ${next} is ${turn === undefined ? "missing" : "its own ancestor"}`);
    }
    chain.unshift(turn);
    next = turn.contextParent;
  }
  return chain;
}

function checkChain(turns: readonly Turn[]): void {
  let parent: string | null = null;
  for (const turn of turns) {
    if (turn.contextParent !== parent) {
      throw chainBroken(
        `turn ${turn.id} extends ${turn.contextParent ?? "nothing"}, expected ${parent ?? "nothing"}`,
      );
    }
    parent = turn.id;
  }
}

function chainBroken(message: string): SparError {
  return new SparError({
    code: "context-chain-broken",
    boundary: "text",
    message,
    hint: "pass the chain that contextChain returns",
  });
}

function turnParts(turn: Turn, isTrained: boolean, options: DatumFromTurnsOptions): RowPart[] {
  const count = sampledCount(turn);
  assert(
    turn.logprobs.length === count,
    `turn ${turn.id} has ${count} sampled ids and ${turn.logprobs.length} logprobs`,
  );
  const weight = typeof options.weight === "function" ? options.weight(turn) : (options.weight ?? 1);
  const advantages = isTrained ? turnAdvantages(turn, count, options.advantages) : undefined;
  let sampled = 0;
  return turn.spans.map((span): RowPart => {
    if (span.kind === "image") return { kind: "image", image: imageOf(span, options.images) };
    const { tokenIds } = span;
    if (span.kind !== "sampled" || !isTrained) return { kind: "context", tokenIds };
    const range: [number, number] = [sampled, sampled + tokenIds.length];
    sampled = range[1];
    return {
      kind: "trained",
      tokenIds,
      weight,
      logprobs: turn.logprobs.subarray(...range),
      ...(advantages === undefined ? {} : { advantages: advantages.subarray(...range) }),
    };
  });
}

function turnAdvantages(
  turn: Turn,
  count: number,
  advantages: DatumFromTurnsOptions["advantages"],
): Float32Array | undefined {
  if (advantages === undefined) return undefined;
  const value = typeof advantages === "function" ? advantages(turn) : advantages;
  if (typeof value === "number") return new Float32Array(count).fill(value);
  assert(value.length === count, `turn ${turn.id} has ${count} sampled ids and ${value.length} advantages`);
  return value;
}

function imageOf(
  span: Extract<Span, { kind: "image" }>,
  images: DatumFromTurnsOptions["images"],
): ImageChunk {
  const image = images?.(span.imageDigest);
  if (image === undefined) {
    throw rowError(
      "image-missing",
      `image ${span.imageDigest} was expected`,
      "pass the option images, which finds an image by its digest",
    );
  }
  assert(
    image.positionCount === span.positionCount,
    `image ${span.imageDigest} had ${span.positionCount} positions, now ${image.positionCount}`,
  );
  return image;
}

function sampledCount(turn: Turn): number {
  return turn.spans.reduce((sum, span) => sum + (span.kind === "sampled" ? span.tokenIds.length : 0), 0);
}
