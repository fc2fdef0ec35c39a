/** Rewards by number: every outcome of eight rollouts, both readings, and their expectations. */
import { taskRelativeAdvantages } from "spar/losses";
import { expectClose, printedTo } from "spar/testing";
import { expect, test } from "vitest";
import {
  learnability,
  proposerReward,
  solverReward,
  type ProposalOutcome,
  type UnlearnableReward,
} from "./learnability.ts";

const rollouts = 8;
const counts = Array.from({ length: rollouts + 1 }, (_value, count) => count);
const valid = (count: number): ProposalOutcome => ({
  kind: "valid",
  isWellFormed: true,
  solveRate: count / rollouts,
});

test("of eight rollouts, tasks solved once pay most, tasks solved never or always nothing", () => {
  expect(counts.map((count) => learnability(count / rollouts))).toEqual([
    0, 0.875, 0.75, 0.625, 0.5, 0.375, 0.25, 0.125, 0,
  ]);
});

test("the released code punishes what cannot be learned from, and agrees elsewhere", () => {
  const paper = counts.map((count) => proposerReward(valid(count), "zero"));
  const released = counts.map((count) => proposerReward(valid(count), "penalty"));
  expect(released).toEqual(paper.map((reward, count) => (count === 0 || count === 8 ? -0.5 : reward)));
});

/** Over a task that is solved with this probability, by the binomial distribution. */
function expectedReward(probability: number, unlearnable: UnlearnableReward): number {
  let [sum, ways] = [0, 1];
  for (const count of counts) {
    const chance = ways * probability ** count * (1 - probability) ** (rollouts - count);
    sum += chance * proposerReward(valid(count), unlearnable);
    ways = (ways * (rollouts - count)) / (count + 1);
  }
  return sum;
}

test.each([
  ["zero", 0.02, 0.129237],
  ["zero", 0.1, 0.469533],
  ["zero", 0.25, 0.649887],
  ["zero", 0.5, 0.496094],
  ["zero", 0.9, 0.1],
  ["penalty", 0.25, 0.599823],
  ["penalty", 0.5, 0.492188],
  ["penalty", 0.9, -0.115234],
] as const)(
  "the expected reward (%s) of a task solved with probability %d is %d",
  (mode, probability, expected) => {
    expectClose([expectedReward(probability, mode)], [expected], printedTo(6));
    if (mode === "zero")
      expectClose(
        [expectedReward(probability, mode)],
        [1 - probability - (1 - probability) ** rollouts],
        printedTo(9),
      );
  },
);

test.each([
  ["zero", 1 - rollouts ** (-1 / (rollouts - 1)), 0.257003, 0.650123, 6],
  ["penalty", 0.2987, 0.2987, 0.613503, 4],
] as const)("the best probability for a proposer (%s)", (mode, best, printedBest, most, decimals) => {
  expectClose([best], [printedBest], printedTo(decimals));
  expectClose([expectedReward(best, mode)], [most], printedTo(6));
  for (const other of [best - 0.01, best + 0.01])
    expect(expectedReward(other, mode)).toBeLessThan(expectedReward(best, mode));
});

test("eight rollouts miss most tasks that are solved in one of fifty", () => {
  expectClose([0.98 ** rollouts, 0.9 ** rollouts], [0.850763, 0.430467], printedTo(6));
});

test("a right answer earns 1, a wrong one loses a half, an unreadable one loses 1 even where it is right", () => {
  const rewards = [
    { isWellFormed: true, score: 1 },
    { isWellFormed: true, score: 0.8 },
    { isWellFormed: true, score: 0 },
    { isWellFormed: false, score: 1 },
  ].map(solverReward);
  expect(rewards).toEqual([1, 0.8, -0.5, -1]);
});

test.each([
  {
    mode: "penalty",
    rewards: [-1, -1, -0.5, 0.875, 0.5, -0.5],
    advantages: [-1.018458, -1.018458, -0.320087, 1.600434, 1.076656, -0.320087],
  },
  {
    mode: "zero",
    rewards: [-1, -1, 0, 0.875, 0.5, 0],
    advantages: [-1.277478, -1.277478, 0.148544, 1.396313, 0.861555, 0.148544],
  },
] as const)(
  "six proposals in one batch: the reading ($mode) turns the sign of what cannot be learned from",
  (one) => {
    const outcomes: ProposalOutcome[] = [
      { kind: "invalid" },
      { kind: "valid", isWellFormed: false, solveRate: 0.5 },
      valid(0),
      valid(1),
      valid(4),
      valid(8),
    ];
    const rewards = outcomes.map((outcome) => proposerReward(outcome, one.mode));
    expect(rewards).toEqual(one.rewards);
    const rows = rewards.map((reward) => ({ reward, group: "deduction/propose", tokenCount: 1 }));
    expectClose([...taskRelativeAdvantages(rows, "response-population")], [...one.advantages], printedTo(6));
  },
);
