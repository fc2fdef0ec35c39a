/** Large batches are cut into requests, in order, by rows and by bytes. A single row is never cut. */
import type { WireRow } from "../wire/data.ts";
import { estimateRowBytes } from "../wire/pass-request.ts";

export interface ChunkLimits {
  readonly longestChunkRows: number;
  /** @unit bytes, by the estimate of `estimateRowBytes` */
  readonly largestChunkBytes: number;
}

export function cutIntoChunks(rows: readonly WireRow[], limits: ChunkLimits): WireRow[][] {
  const chunks: WireRow[][] = [];
  let current: WireRow[] = [];
  let currentBytes = 0;
  for (const row of rows) {
    const rowBytes = estimateRowBytes(row);
    const isFull =
      current.length === limits.longestChunkRows ||
      (current.length > 0 && currentBytes + rowBytes > limits.largestChunkBytes);
    if (isFull) {
      chunks.push(current);
      current = [];
      currentBytes = 0;
    }
    current.push(row);
    currentBytes += rowBytes;
  }
  if (current.length > 0) chunks.push(current);
  return chunks;
}
