/**
 * Cuts a list of rows into batches of the few shapes for which programs are compiled.
 *
 * The cut depends on the lengths of the rows alone, so the same call always gives the same sums in the same order.
 * Shapes are powers of four in rows and powers of two in length: at most one third of the rows and half of the
 * positions are padding, for a handful of compilations.
 */
import type { ModelShape } from "../model/layout.ts";
import type { BatchShape } from "../model/training-program.ts";

export interface MicroBatch {
  readonly shape: BatchShape;
  /** Indices into the caller's rows; fewer than `shape.rows` where the rest is padding. */
  readonly rowIndices: readonly number[];
}

const shortestLength = 16;
/** jax-js sets every intermediate of a pass aside while it records; its memory ends at 4 GiB. */
const intermediateBytes = 1 << 30;

/** Fewer positions where a model is large, by its sizes alone. */
export function positionsFor(shape: ModelShape, positionsPerBatch: number): number {
  const { layerCount, width, feedForwardWidth, headCount, paddedContextLength, paddedVocabularySize } = shape;
  const perLayer = 24 * width + 8 * feedForwardWidth + 8 * headCount * paddedContextLength;
  const perPosition = 4 * (layerCount * perLayer + 8 * paddedVocabularySize);
  return Math.min(positionsPerBatch, Math.floor(intermediateBytes / perPosition));
}

/** Rows longer than the context must have been refused before. */
export function planMicroBatches(
  lengths: readonly number[],
  shape: ModelShape,
  positionsPerBatch: number,
): MicroBatch[] {
  const { contextLength } = shape;
  const positions = positionsFor(shape, positionsPerBatch);
  const byLength = new Map<number, number[]>();
  for (const [index, length] of lengths.entries()) {
    const bucket = lengthBucket(length, contextLength);
    const members = byLength.get(bucket) ?? [];
    members.push(index);
    byLength.set(bucket, members);
  }
  const batches: MicroBatch[] = [];
  for (const [length, members] of [...byLength].sort(([a], [b]) => a - b)) {
    let start = 0;
    while (start < members.length) {
      const rows = rowBucket(members.length - start, length, positions);
      batches.push({ shape: { rows, length }, rowIndices: members.slice(start, start + rows) });
      start += rows;
    }
  }
  return batches;
}

/** The next power of two, at least 16, at most the context rounded up to a multiple of four. */
export function lengthBucket(length: number, contextLength: number): number {
  let bucket = shortestLength;
  while (bucket < length) bucket *= 2;
  return Math.min(bucket, Math.ceil(contextLength / 4) * 4);
}

/** The largest allowed power of four that the rows fill, or the next one where they fill three quarters of it. */
export function rowBucket(rowCount: number, length: number, positions: number): number {
  let bucket = 1;
  while (bucket * 3 < rowCount && bucket * 4 * length <= positions) bucket *= 4;
  return bucket;
}
