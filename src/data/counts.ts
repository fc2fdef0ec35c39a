/** How many steps and shards a number of rows makes. */
import { assert } from "../base/index.ts";

/** Optimizer steps for one pass over the rows; a last, smaller batch counts. */
export function stepsPerEpoch(rowCount: number, batchRows: number): number {
  return divideUp(rowCount, batchRows);
}

/** Shards of at most `shardRows` rows. */
export function shardCount(rowCount: number, shardRows: number): number {
  return divideUp(rowCount, shardRows);
}

export interface ShardRange {
  readonly start: number;
  /** Excluded. */
  readonly end: number;
}

/** The rows of shard `shardIndex`, counted from 0; empty behind the last one. */
export function shardRange(
  shardIndex: number,
  sizes: { readonly rowCount: number; readonly shardRows: number },
): ShardRange {
  const { rowCount, shardRows } = sizes;
  assert(
    Number.isInteger(shardIndex) && shardIndex >= 0,
    `shardIndex must be a whole number, got ${shardIndex}`,
  );
  const start = Math.min(shardIndex * shardRows, rowCount);
  return { start, end: Math.min(start + shardRows, rowCount) };
}

function divideUp(rowCount: number, size: number): number {
  assert(Number.isInteger(rowCount) && rowCount >= 0, `rowCount must be a whole number, got ${rowCount}`);
  assert(Number.isInteger(size) && size > 0, `the size must be a positive whole number, got ${size}`);
  return Math.ceil(rowCount / size);
}
