/**
 * The gradient that has accumulated since the last optimizer step. Two blocks take turns, because the kernels that
 * add to a sum may not overwrite it while they read it.
 */
import type { SharedHeap } from "../executor/heap.ts";
import { leafAddresses, newBlock, viewBlock, type WeightBlock } from "../weights/weight-store.ts";
import type { ModelShape } from "../model/layout.ts";

export class GradientBuffer {
  private readonly heap: SharedHeap;
  private current: WeightBlock;
  private next: WeightBlock;
  /** Whether anything was added since the last clear. */
  isEmpty = true;

  constructor(heap: SharedHeap, shape: ModelShape) {
    this.heap = heap;
    [this.current, this.next] = heap.together(() => [newBlock(heap, shape), newBlock(heap, shape)]);
  }

  currentAddresses(): number[] {
    return leafAddresses(this.current);
  }

  nextAddresses(): number[] {
    return leafAddresses(this.next);
  }

  /** After a backward pass: what was written becomes the sum. */
  swap(): void {
    [this.current, this.next] = [this.next, this.current];
    this.isEmpty = false;
  }

  view(): Float32Array<ArrayBufferLike> {
    return viewBlock(this.heap, this.current);
  }

  block(): WeightBlock {
    return this.current;
  }

  clear(): void {
    this.view().fill(0);
    this.isEmpty = true;
  }

  /** The sum as it is now; null where nothing was added. */
  snapshot(): Float32Array | null {
    return this.isEmpty ? null : new Float32Array(this.view());
  }

  restore(snapshot: Float32Array | null): void {
    if (snapshot === null) this.clear();
    else this.view().set(snapshot);
  }

  release(): void {
    this.heap.free(this.current.address);
    this.heap.free(this.next.address);
  }
}
