/**
 * Keys and values of one batch: per layer two tensors `[slots, lanes, width]`. Slot by slot, so that a step writes
 * one contiguous piece. Knows nothing of what a lane means.
 */
import type { SharedHeap } from "../executor/heap.ts";
import type { ModelShape } from "../model/layout.ts";

export class LaneCache {
  readonly slots: number;
  lanes = 0;
  private readonly heap: SharedHeap;
  private readonly shape: ModelShape;
  private tensors: number[] = [];

  constructor(heap: SharedHeap, shape: ModelShape, slots: number) {
    this.heap = heap;
    this.shape = shape;
    this.slots = slots;
  }

  /** All zero: slots that are not written yet are masked, and a masked slot must hold a finite number. */
  allocate(lanes: number): void {
    const length = this.slots * lanes * this.shape.width;
    this.tensors = this.heap.together(() =>
      Array.from({ length: 2 * this.shape.layerCount }, () => this.heap.allocateZeros(length)),
    );
    this.lanes = lanes;
  }

  addresses(): readonly number[] {
    return this.tensors;
  }

  /** Where the tensors hold the given slot. */
  addressesAt(slot: number): number[] {
    const offset = slot * this.lanes * this.shape.width * 4;
    return this.tensors.map((address) => address + offset);
  }

  /** New lane i continues old lane `origins[i]`; `filled` slots are copied. */
  regroup(origins: readonly number[], lanes: number, filled: number): void {
    const { width } = this.shape;
    const old = { tensors: this.tensors, lanes: this.lanes };
    this.allocate(lanes);
    for (const [index, address] of this.tensors.entries()) {
      const source = this.heap.float32(old.tensors[index] ?? 0, this.slots * old.lanes * width);
      const target = this.heap.float32(address, this.slots * lanes * width);
      for (let slot = 0; slot < filled; slot += 1) {
        for (const [lane, origin] of origins.entries()) {
          const start = (slot * old.lanes + origin) * width;
          target.set(source.subarray(start, start + width), (slot * lanes + lane) * width);
        }
      }
    }
    for (const address of old.tensors) this.heap.free(address);
  }

  release(): void {
    for (const address of this.tensors) this.heap.free(address);
    this.tensors = [];
  }
}
