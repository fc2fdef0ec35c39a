/**
 * Blocks of weights in the shared memory: made from a seed, copied, read and hashed. A block has the layout of its
 * model shape. Knows nothing of optimizers, versions or files.
 */
import { createRandom, sha256 } from "../../../base/index.ts";
import type { SharedHeap } from "../executor/heap.ts";
import { bufferLength, listLeaves, trueLength, type Leaf, type ModelShape } from "../model/layout.ts";

export interface WeightBlock {
  readonly shape: ModelShape;
  readonly leaves: readonly Leaf[];
  readonly address: number;
  /** In numbers, gaps included. */
  readonly length: number;
}

export function newBlock(heap: SharedHeap, shape: ModelShape): WeightBlock {
  const leaves = listLeaves(shape);
  const length = bufferLength(leaves);
  return { shape, leaves, address: heap.allocateZeros(length), length };
}

export function copyBlock(heap: SharedHeap, block: WeightBlock): WeightBlock {
  const address = heap.allocate(block.length * 4);
  viewBlock(heap, { ...block, address }).set(viewBlock(heap, block));
  return { ...block, address };
}

/** A copy with or without the value head; tensors that both have keep their numbers, a new head is zero. */
export function copyWithHead(heap: SharedHeap, block: WeightBlock, head: "policy" | "value"): WeightBlock {
  const hasValueHead = head === "value";
  if (hasValueHead === block.shape.hasValueHead) return copyBlock(heap, block);
  const copy = newBlock(heap, { ...block.shape, hasValueHead });
  for (const leaf of copy.leaves) {
    const source = block.leaves.find(({ name }) => name === leaf.name);
    if (source !== undefined) viewLeaf(heap, copy, leaf).set(viewLeaf(heap, block, source));
  }
  return copy;
}

export function viewBlock(heap: SharedHeap, block: WeightBlock): Float32Array<ArrayBufferLike> {
  return heap.float32(block.address, block.length);
}

export function viewLeaf(heap: SharedHeap, block: WeightBlock, leaf: Leaf): Float32Array<ArrayBufferLike> {
  return heap.float32(block.address + leaf.offset * 4, leaf.length);
}

/** Addresses of all leaves, as programs want them. */
export function leafAddresses(block: WeightBlock): number[] {
  return block.leaves.map((leaf) => block.address + leaf.offset * 4);
}

/** Each tensor draws from its own stream, so adding one never changes the others. */
export function initialiseBlock(heap: SharedHeap, block: WeightBlock, seed: number): void {
  const random = createRandom(seed);
  for (const leaf of block.leaves) {
    const view = viewLeaf(heap, block, leaf);
    const { initialisation } = leaf;
    if (initialisation.kind === "constant") {
      view.fill(initialisation.value);
      continue;
    }
    const stream = random.split("initialise", leaf.name);
    const length = trueLength(block.shape, leaf);
    for (let index = 0; index < length; index += 1) view[index] = stream.normal() * initialisation.deviation;
  }
}

/** A digest of every weight, the names of the tensors and the rows that pad the vocabulary included. */
export function digestBlock(heap: SharedHeap, block: WeightBlock): string {
  const view = viewBlock(heap, block);
  return sha256(new Uint8Array(view.buffer, view.byteOffset, view.byteLength).slice());
}
