import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { Datum, ImageChunk } from "../contract/index.ts";
import { characterTokenizer, datumFromSegments, plainRenderer, type DataSegment } from "./index.ts";
import { expectGolden } from "../testing/expect-golden.ts";
import { printedTo } from "../testing/tolerances.ts";

// Ids: <end> 0, then a 1, b 2, c 3, ...
const tokenizer = characterTokenizer({ symbols: "abcdefgh" });
const inputIds = (datum: Datum): number[] =>
  datum.input.flatMap((chunk) =>
    chunk.kind === "tokens" ? chunk.tokenIds : Array.from({ length: chunk.positionCount }, () => -1),
  );
const image: ImageChunk = {
  kind: "image",
  pixels: new Uint8Array(4),
  widthPixels: 2,
  heightPixels: 2,
  channels: 1,
  positionCount: 3,
};

describe("datumFromSegments", () => {
  test("trains the answer and its stop token, not the prompt; everything is shifted by one", () => {
    const datum = datumFromSegments(
      [
        { text: "abc", train: false },
        { text: "de", train: true, close: true },
      ],
      { tokenizer },
    );
    expect(inputIds(datum)).toEqual([1, 2, 3, 4, 5]);
    expect([...datum.targets]).toEqual([2, 3, 4, 5, 0]);
    expect([...datum.weights]).toEqual([0, 0, 1, 1, 1]);
    expect(datum.behaviorLogprobs).toBeUndefined();
    expect(datum.origin).toEqual({ turnIds: [], isReplayed: false });
  });

  test("does not train a stop token in the prompt though it has the same id as the trained one", () => {
    const datum = datumFromSegments(
      [
        { text: "a<end>b", train: false },
        { text: "c", train: true, close: true },
      ],
      { tokenizer, weight: 0.5, groupId: "pair", constants: { reference: -1 } },
    );
    expect([...datum.targets]).toEqual([0, 2, 3, 0]);
    expect([...datum.weights]).toEqual([0, 0, 0.5, 0.5]);
    expect([datum.groupId, datum.constants]).toEqual(["pair", { reference: -1 }]);
  });

  test("gives an answer the same ids and weights whatever stands before it", () => {
    fc.assert(
      fc.property(fc.stringMatching(/^[a-h]{1,9}$/), fc.stringMatching(/^[a-h]{0,9}$/), (prompt, answer) => {
        const { tokenIds } = plainRenderer(tokenizer).render([{ kind: "text", role: "user", text: prompt }]);
        const datum = datumFromSegments(
          [
            { tokenIds, train: false },
            { text: answer, train: true, close: true },
          ],
          { tokenizer },
        );
        const trained = [...datum.targets].filter((_id, index) => datum.weights[index] === 1);
        expect(trained).toEqual([...tokenizer.encode(answer), 0]);
        expect(inputIds(datum)).toEqual([...tokenIds, ...tokenizer.encode(answer)]);
      }),
    );
  });

  test("cuts a segment at the end that it names; a segment cut at its end loses its stop token", () => {
    const cutEnd: DataSegment = { text: "defg", train: true, close: true, maxTokens: 3, cut: "end" };
    const cutStart: DataSegment = { text: "abc", train: false, maxTokens: 2, cut: "start" };
    const datum = datumFromSegments([cutStart, cutEnd], { tokenizer });
    expect(inputIds(datum)).toEqual([2, 3, 4, 5]);
    expect([...datum.targets]).toEqual([3, 4, 5, 6]);
    expect(datum.origin?.note).toEqual({ cutTokens: 3 });
    const whole = datumFromSegments([cutStart, { ...cutEnd, cut: "start" }], { tokenizer });
    expect([...whole.targets]).toEqual([3, 6, 7, 0]);
  });

  test("takes what a row has too much from segments that may be cut, in their order", () => {
    const segments: DataSegment[] = [
      { text: "a", train: false },
      { text: "bcd", train: false, cut: "start" },
      { text: "efgh", train: true, cut: "end" },
    ];
    expect(inputIds(datumFromSegments(segments, { tokenizer, maxTokens: 6 }))).toEqual([1, 4, 5, 6, 7]);
    expect(inputIds(datumFromSegments(segments, { tokenizer, maxTokens: 4 }))).toEqual([1, 5, 6]);
  });

  test("refuses a row that is too long where nothing may be cut", () => {
    const segments: DataSegment[] = [
      { text: "abc", train: false },
      { text: "de", train: true },
    ];
    expect(() => datumFromSegments(segments, { tokenizer, maxTokens: 4 })).toThrow(
      expect.objectContaining({ code: "row-too-long", message: "a row may have 4 tokens, got 5" }),
    );
    expect(() => datumFromSegments([{ text: "abc", train: true, maxTokens: 2 }], { tokenizer })).toThrow(
      expect.objectContaining({ code: "row-too-long" }),
    );
  });

  test("gives image positions target 0 and weight 0", () => {
    const datum = datumFromSegments(
      [{ text: "a", train: false }, { image }, { text: "b", train: true, close: true }],
      { tokenizer },
    );
    expect(inputIds(datum)).toEqual([1, -1, -1, -1, 2]);
    expect([...datum.targets]).toEqual([0, 0, 0, 2, 0]);
    expect([...datum.weights]).toEqual([0, 0, 0, 1, 1]);
  });

  test("closes a row of a value head with one unweighted token, so that its last position has a target", () => {
    const datum = datumFromSegments(
      [
        { text: "a", train: false },
        { text: "bc", train: true },
      ],
      { tokenizer, isValueRow: true },
    );
    expect(inputIds(datum)).toEqual([1, 2, 3]);
    expect([...datum.weights]).toEqual([1, 1, 0]);
  });

  test.each<{ name: string; code: string; segments: DataSegment[] }>([
    {
      name: "nothing is trained",
      code: "nothing-to-train",
      segments: [
        { text: "ab", train: false },
        { text: "", train: true },
      ],
    },
    { name: "there is no prompt", code: "row-starts-trained", segments: [{ text: "ab", train: true }] },
    { name: "there is one token", code: "row-too-short", segments: [{ text: "a", train: false }] },
    {
      name: "an image is last",
      code: "row-ends-in-image",
      segments: [{ text: "a", train: true }, { image }],
    },
  ])("refuses a row where $name", ({ code, segments }) => {
    expect(() => datumFromSegments(segments, { tokenizer })).toThrow(expect.objectContaining({ code }));
  });

  test("refuses to close with a stop token that nobody named", () => {
    const nameless = { ...tokenizer, endOfTextId: null };
    const segments: DataSegment[] = [
      { text: "a", train: false },
      { text: "b", train: true, close: true },
    ];
    expect(() => datumFromSegments(segments, { tokenizer: nameless })).toThrow(
      expect.objectContaining({ code: "stop-token-missing" }),
    );
    expect([...datumFromSegments(segments, { tokenizer: nameless, stopTokenId: 7 }).targets]).toEqual([2, 7]);
  });
});

// spin.md T5: logits rows (2, 0.5, -1), (0, 1, 0) with labels 0, 1.
test("the weighted sum over a row is the answer's log-probability, whatever the prompt's tokens and the padding are", () => {
  const answerRows = [
    [2, 0.5, -1],
    [0, 1, 0],
  ];
  const summed = (promptIds: readonly number[], answer: number[], paddingCount: number): number => {
    const { targets, weights } = datumFromSegments(
      [
        { tokenIds: promptIds, train: false },
        { tokenIds: answer, train: true },
      ],
      { tokenizer },
    );
    const padded = [...targets, ...Array.from({ length: paddingCount }, () => 0)];
    const firstAnswer = promptIds.length - 1;
    return padded.reduce((sum, target, index) => {
      const logits = answerRows[index - firstAnswer] ?? [0.3, -0.2, 0.1];
      const logTotal = Math.log(logits.reduce((total, logit) => total + Math.exp(logit), 0));
      return sum + (weights[index] ?? 0) * ((logits[target] ?? 0) - logTotal);
    }, 0);
  };
  for (const promptIds of [[2, 1, 0], [0, 0, 0, 0, 0], [1]]) {
    for (const paddingCount of [0, 4]) {
      expectGolden({
        input: [0, 1],
        perturbed: [0, 2],
        expected: -0.792756,
        tolerance: printedTo(6),
        compute: (answer) => summed(promptIds, answer, paddingCount),
      });
    }
  }
});
