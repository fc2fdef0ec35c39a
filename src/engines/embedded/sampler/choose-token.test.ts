import { expect, test } from "vitest";
import { createRandom } from "../../../base/index.ts";
import { chooseToken, type ChoiceSettings } from "./choose-token.ts";

/** Probabilities 0.1, 0.2, 0.3, 0.4, with a padded entry behind them that must never be seen. */
const logits = [0.1, 0.2, 0.3, 0.4].map(Math.log).concat(50);
const plain: ChoiceSettings = { temperature: 1, topP: 1, topK: 0 };

function choose(settings: ChoiceSettings, uniform: number): number {
  return chooseToken(logits, 4, settings, () => uniform).tokenId;
}

test("a uniform number picks by the cumulative distribution", () => {
  expect([0, 0.05, 0.15, 0.35, 0.75, 0.999].map((uniform) => choose(plain, uniform))).toEqual([
    0, 0, 1, 2, 3, 3,
  ]);
});

test("the log-probability is the model's own, whatever the settings", () => {
  for (const settings of [plain, { ...plain, temperature: 0 }, { ...plain, temperature: 0.3, topK: 1 }]) {
    const choice = chooseToken(logits, 4, settings, () => 0.9);
    expect(choice.logprob).toBeCloseTo(Math.log(0.4), 12);
  }
});

test("greedy takes the most likely token, ties to the lower id, and draws no number", () => {
  const choice = chooseToken([1, 3, 3], 3, { ...plain, temperature: 0 }, () => {
    throw new Error("drawn");
  });
  expect(choice.tokenId).toBe(1);
});

test("top-k and top-p keep the most likely tokens, the one that reaches p included", () => {
  const reachable = (settings: ChoiceSettings): number[] => {
    const random = createRandom(1);
    return [...new Set(Array.from({ length: 400 }, () => choose(settings, random.uniform())))].toSorted(
      (a, b) => a - b,
    );
  };
  expect(reachable({ ...plain, topK: 2 })).toEqual([2, 3]);
  expect(reachable({ ...plain, topP: 0.5 })).toEqual([2, 3]);
  expect(reachable({ ...plain, topP: 0.75 })).toEqual([1, 2, 3]);
  expect(reachable({ ...plain, topP: 1e-9 })).toEqual([3]);
});

test("temperature sharpens: at one half, probabilities are squared", () => {
  // 0.01, 0.04, 0.09, 0.16 of 0.30: the last begins at 0.14 / 0.30.
  expect(choose({ ...plain, temperature: 0.5 }, 0.46)).toBe(2);
  expect(choose({ ...plain, temperature: 0.5 }, 0.47)).toBe(3);
});

test("a token without mass is never drawn, not even at the ends", () => {
  const certain = [-1e30, 0, -1e30];
  for (const uniform of [0, 0.5, 1 - 2 ** -53]) {
    expect(chooseToken(certain, 3, plain, () => uniform)).toEqual({ tokenId: 1, logprob: 0 });
  }
});
