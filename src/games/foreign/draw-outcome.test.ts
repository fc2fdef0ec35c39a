import { expect, test } from "vitest";
import { createRandom, type Random } from "../../base/index.ts";
import type { Table } from "../game.ts";
import { asEquallyLikely, drawOutcome, type WeightedOutcome } from "./draw-outcome.ts";

const weigh = (...probabilities: readonly number[]): WeightedOutcome[] =>
  probabilities.map((probability, action) => ({ action, probability }));

test.each([
  { of: "three cards", outcomes: weigh(1 / 3, 1 / 3, 1 / 3), drawn: [0, 1, 2] },
  { of: "a loaded coin", outcomes: weigh(0.75, 0.25), drawn: [0, 0, 0, 1] },
  { of: "an outcome that cannot be", outcomes: weigh(0.5, 0, 0.5), drawn: [0, 0, 2, 2] },
])("$of is a draw among equally likely outcomes", ({ outcomes, drawn }) => {
  const found = asEquallyLikely(outcomes) ?? [];
  const share = (list: readonly number[], action: number): number =>
    list.filter((one) => one === action).length / list.length;
  for (const { action } of outcomes) expect(share(found, action)).toBeCloseTo(share(drawn, action), 12);
});

test("the 21 rolls of two dice are draws among 36", () => {
  const rolls = Array.from({ length: 6 }, (_value, one) =>
    weigh(...Array.from({ length: one + 1 }, (_other, two) => (one === two ? 1 : 2) / 36)),
  );
  expect(
    asEquallyLikely(rolls.flat().map(({ probability }, action) => ({ action, probability }))),
  ).toHaveLength(36);
});

test("what has no small denominator is drawn from the reals, as often as it is likely", () => {
  const outcomes = weigh(Math.SQRT1_2 / 2, 0, 1 - Math.SQRT1_2 / 2);
  expect(asEquallyLikely(outcomes)).toBeNull();
  const random = createRandom(1);
  const counts = [0, 0, 0];
  for (let play = 0; play < 4000; play++) {
    const action = drawOutcome(tableOf(random.split(play)), "chance", outcomes);
    counts[action] = (counts[action] ?? 0) + 1;
  }
  expect(counts[1]).toBe(0);
  // Four standard deviations.
  expect(Math.abs((counts[0] ?? 0) / 4000 - Math.SQRT1_2 / 2)).toBeLessThan(0.031);
});

function tableOf(random: Random): Table {
  const none = (): never => {
    throw new Error("not at this table");
  };
  return {
    ask: none,
    askSiblings: none,
    call: none,
    draw: (label, outcomes) => random.split(label).pick(outcomes),
    random: (label) => random.split(label),
    left: { turns: 0, calls: 0, tokens: 0, timeMs: 0 },
  };
}
