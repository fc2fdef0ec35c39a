import { expect, test } from "vitest";
import { expectCode } from "../../../testing/index.ts";
import { SharedHeap } from "./heap.ts";

test("freed neighbours are merged and used again", () => {
  const heap = new SharedHeap();
  const [a, b, c] = [heap.allocate(100), heap.allocate(100), heap.allocate(100)];
  heap.free(a);
  heap.free(c);
  heap.free(b);
  expect(heap.allocate(384)).toBe(a);
  expect(heap.usedBytes).toBe(384);
});

test("blocks are aligned and never overlap", () => {
  const heap = new SharedHeap();
  const blocks = [1, 64, 65, 1000].map((bytes) => ({ address: heap.allocate(bytes), bytes }));
  for (const [index, block] of blocks.entries()) {
    expect(block.address % 64).toBe(0);
    const next = blocks[index + 1];
    if (next !== undefined) expect(block.address + block.bytes).toBeLessThanOrEqual(next.address);
  }
});

test("memory grows when a block needs it, and old contents stay", () => {
  const heap = new SharedHeap();
  const small = heap.allocateZeros(4);
  heap.float32(small, 4).fill(7);
  const large = heap.allocateZeros(1_000_000);
  expect(heap.float32(large, 1_000_000).every((value) => value === 0)).toBe(true);
  expect([...heap.float32(small, 4)]).toEqual([7, 7, 7, 7]);
});

test("freeing what is not allocated is a broken invariant", () => {
  expect(() => new SharedHeap().free(128)).toThrow("not allocated");
});

test("a block beyond 4 GiB is refused with what to do, and the rest stays usable", async () => {
  const heap = new SharedHeap();
  const error = await expectCode(
    Promise.resolve().then(() => heap.allocate(5 * 2 ** 30)),
    "memory-exhausted",
  );
  expect(error.hint).toContain("smaller model");
  expect(heap.allocate(64)).toBe(64);
});

test("an error names what is held, what is needed and the limit", () => {
  const heap = new SharedHeap(40 * 2 ** 20);
  heap.allocate(3 * 2 ** 20);
  expect(() => heap.allocate(39 * 2 ** 20)).toThrow(
    "the embedded engine holds 3,072 KiB and needs 39 MiB more in one piece: beyond its limit of 40 MiB",
  );
  expect(() => new SharedHeap().allocate(2 ** 33)).toThrow("4,096 MiB, the end of a 32-bit memory");
});

test("what is allocated together is there together or not at all", () => {
  const heap = new SharedHeap(2 ** 20);
  const first = heap.allocate(1000);
  expect(() => heap.together(() => [heap.allocate(1000), heap.allocate(2 ** 21)])).toThrow(
    "beyond its limit",
  );
  expect(heap.usedBytes).toBe(1024);
  const both = heap.together(() => [heap.allocate(1000), heap.allocate(1000)]);
  expect(new Set([first, ...both]).size).toBe(3);
  expect(heap.usedBytes).toBe(3 * 1024);
});
