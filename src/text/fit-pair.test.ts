import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { fitPairToContext } from "./index.ts";

const count = (length: number): number[] => Array.from({ length }, (_value, index) => index);
const limits = { maxTokens: 10, maxPromptTokens: 4 };

describe("fitPairToContext", () => {
  test("leaves a pair that fits as it is", () => {
    const pair = { promptIds: count(6), realIds: count(4), generatedIds: count(2) };
    expect(fitPairToContext(pair, limits)).toEqual({
      ...pair,
      isPromptCut: false,
      isRealCut: false,
      isGeneratedCut: false,
    });
  });

  test("keeps the end of the prompt, and cuts no answer where that is enough", () => {
    const fitted = fitPairToContext(
      { promptIds: count(7), realIds: count(2), generatedIds: count(6) },
      limits,
    );
    expect(fitted).toMatchObject({
      promptIds: [3, 4, 5, 6],
      realIds: count(2),
      generatedIds: count(6),
      isPromptCut: true,
      isGeneratedCut: false,
    });
  });

  test("cuts both answers to the same length where the longer one is still too long", () => {
    const fitted = fitPairToContext(
      { promptIds: count(7), realIds: count(9), generatedIds: count(7) },
      limits,
    );
    expect(fitted).toMatchObject({
      promptIds: [3, 4, 5, 6],
      realIds: count(6),
      generatedIds: count(6),
      isRealCut: true,
      isGeneratedCut: true,
    });
  });

  test("lets the longer answer decide for both, also about the prompt", () => {
    const fitted = fitPairToContext(
      { promptIds: count(3), realIds: count(2), generatedIds: count(9) },
      limits,
    );
    expect(fitted).toMatchObject({
      promptIds: count(3),
      realIds: count(2),
      isRealCut: false,
      generatedIds: count(6),
      isGeneratedCut: true,
    });
  });

  test("never exceeds the context", () => {
    const ids = fc.nat({ max: 20 }).map(count);
    fc.assert(
      fc.property(
        ids,
        ids,
        ids,
        fc.integer({ min: 1, max: 11 }),
        (promptIds, realIds, generatedIds, maxPromptTokens) => {
          const fitted = fitPairToContext(
            { promptIds, realIds, generatedIds },
            { maxTokens: 12, maxPromptTokens },
          );
          expect(
            fitted.promptIds.length + Math.max(fitted.realIds.length, fitted.generatedIds.length),
          ).toBeLessThanOrEqual(12);
        },
      ),
    );
  });

  test("refuses a prompt budget that leaves no room for an answer", () => {
    expect(() =>
      fitPairToContext(
        { promptIds: [], realIds: [], generatedIds: [] },
        { maxTokens: 4, maxPromptTokens: 4 },
      ),
    ).toThrow(/maxPromptTokens/);
  });
});
