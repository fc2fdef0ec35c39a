import fc from "fast-check";
import { expect, test } from "vitest";
import { parameterCountOf, type Architecture } from "../../../contract/index.ts";
import { bufferLength, listLeaves, resolveShape, trueLength } from "./layout.ts";

const small: Architecture = { vocabularySize: 20, contextLength: 12, width: 96, layerCount: 2, headCount: 4 };

/** Of all tensors, without the rows that pad. */
function lengthOf(architecture: Architecture, head: "policy" | "value" = "policy"): number {
  const shape = resolveShape(architecture, head);
  return listLeaves(shape).reduce((sum, leaf) => sum + trueLength(shape, leaf), 0);
}

test("parameters are counted as a reader of the architecture would count them", () => {
  // Embedding 20 x 96; per layer two gains, four square matrices and two of 96 x 384; one last gain.
  const expected = 20 * 96 + 2 * (2 * 96 + 4 * 96 * 96 + 2 * 96 * 384) + 96;
  expect(lengthOf(small)).toBe(expected);
});

test("rows that pad the vocabulary are in the buffer and not in the count", () => {
  const larger = { ...small, vocabularySize: 21 };
  expect(resolveShape(larger).paddedVocabularySize).toBe(24);
  expect(lengthOf(larger) - lengthOf(small)).toBe(96);
});

test("plans count the same parameters", () => {
  const architectures = fc.record(
    {
      vocabularySize: fc.integer({ min: 1, max: 50 }),
      contextLength: fc.integer({ min: 1, max: 50 }),
      width: fc.constantFrom(16, 32),
      layerCount: fc.integer({ min: 1, max: 4 }),
      headCount: fc.constantFrom(1, 2, 4),
      feedForwardWidth: fc.constantFrom(4, 64),
      norm: fc.constantFrom("rms", "layer"),
      positions: fc.constantFrom("rotary", "learned", "linear-bias"),
      activation: fc.constantFrom("gelu", "relu", "swiglu"),
      tiedEmbeddings: fc.boolean(),
    },
    { requiredKeys: ["vocabularySize", "contextLength", "width", "layerCount", "headCount"] },
  );
  fc.assert(
    fc.property(architectures, fc.constantFrom("policy", "value"), (architecture, head) => {
      expect(parameterCountOf(architecture, head)).toBe(lengthOf(architecture, head));
    }),
  );
});

test("every option adds its tensors", () => {
  const shape = resolveShape({
    ...small,
    norm: "layer",
    positions: "learned",
    activation: "swiglu",
    tiedEmbeddings: false,
  });
  const names = listLeaves(shape).map((leaf) => leaf.name);
  expect(names).toEqual(expect.arrayContaining(["positions", "head", "finalNorm.bias", "layers.1.gate"]));
});

test("tensors are aligned and do not overlap", () => {
  const leaves = listLeaves(resolveShape({ ...small, vocabularySize: 3, norm: "layer" }));
  for (const [index, leaf] of leaves.entries()) {
    expect(leaf.offset % 16).toBe(0);
    expect(leaf.offset + leaf.length).toBeLessThanOrEqual(leaves[index + 1]?.offset ?? bufferLength(leaves));
  }
});

test.each([
  ["headCount", { ...small, headCount: 5 }],
  ["layerCount", { ...small, layerCount: 0 }],
  ["contextLength", { ...small, contextLength: 1.5 }],
  ["feedForwardWidth", { ...small, feedForwardWidth: 10 }],
])("an architecture that cannot be built names %s", (name, architecture) => {
  expect(() => resolveShape(architecture)).toThrow(name);
});

test("embeddings that are read out as logits begin small, others do not", () => {
  const deviationOf = (name: string, tiedEmbeddings: boolean): unknown =>
    listLeaves(resolveShape({ ...small, positions: "learned", tiedEmbeddings })).find(
      (leaf) => leaf.name === name,
    )?.initialisation;
  for (const name of ["embedding", "positions"]) {
    expect(deviationOf(name, true)).toEqual({ kind: "normal", deviation: 0.02 });
    expect(deviationOf(name, false)).toEqual({ kind: "normal", deviation: 1 });
  }
  expect(deviationOf("head", false)).toEqual({ kind: "normal", deviation: 0.02 });
});
