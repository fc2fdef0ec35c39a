import fc from "fast-check";
import { expect, test } from "vitest";
import { resolveShape } from "../model/layout.ts";
import { lengthBucket, planMicroBatches, positionsFor, rowBucket } from "./micro-batches.ts";

const positionsPerBatch = 2048;
const shape = resolveShape({
  vocabularySize: 20,
  contextLength: 100,
  width: 64,
  layerCount: 2,
  headCount: 4,
});

test("every row is in exactly one batch, and fits", () => {
  const lengthLists = fc.array(fc.integer({ min: 1, max: 100 }), { minLength: 1, maxLength: 300 });
  fc.assert(
    fc.property(lengthLists, (lengths) => {
      const batches = planMicroBatches(lengths, shape, positionsPerBatch);
      const indices = batches.flatMap((batch) => batch.rowIndices).toSorted((a, b) => a - b);
      expect(indices).toEqual(lengths.map((_, index) => index));
      for (const { shape, rowIndices } of batches) {
        expect(rowIndices.length).toBeLessThanOrEqual(shape.rows);
        expect(shape.rows * shape.length).toBeLessThanOrEqual(positionsPerBatch);
        for (const index of rowIndices) expect(lengths[index]).toBeLessThanOrEqual(shape.length);
      }
    }),
  );
});

test("the context is the longest bucket, rounded to what vector instructions like", () => {
  expect([1, 16, 17, 100].map((length) => lengthBucket(length, 100))).toEqual([16, 16, 32, 100]);
  expect(lengthBucket(9, 10)).toBe(12);
});

test("a batch is padded only where it is nearly full", () => {
  expect([1, 3, 4, 12, 13, 48, 49, 64].map((rows) => rowBucket(rows, 16, positionsPerBatch))).toEqual([
    1, 1, 4, 4, 16, 16, 64, 64,
  ]);
});

test("a large model takes fewer positions at a time", () => {
  expect(positionsFor(shape, positionsPerBatch)).toBe(positionsPerBatch);
  const large = { vocabularySize: 32_000, contextLength: 1024, width: 768, layerCount: 12, headCount: 12 };
  expect(positionsFor(resolveShape(large), positionsPerBatch)).toBeLessThan(256);
});
