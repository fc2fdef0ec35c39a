import { beforeAll, describe, expect, test } from "vitest";
import { present } from "../../base/index.ts";
import { expectClose, expectCode, expectDifferent, tolerances } from "../../testing/index.ts";
import { game as kuhnPoker } from "../kuhn-poker/game.ts";
import { game as ticTacToe } from "../tic-tac-toe/game.ts";
import { exploitabilityOf } from "./best-response.ts";
import { findEquilibrium, type Equilibrium } from "./find-equilibrium.ts";
import { growTree, type Branch, type MatchTree } from "./grow-tree.ts";
import { minimizeRegret, type RegretProgress } from "./minimize-regret.ts";
import { profileOf, profileOfSeats, uniformBehavior } from "./profiles.ts";

const task = { isExplained: false };
let tree: MatchTree;
let found: Equilibrium;

beforeAll(async () => {
  tree = await growTree(kuhnPoker, task);
  found = await findEquilibrium(kuhnPoker, task, { targetNashConv: 1e-4 });
});

async function nashConvAfter(maximumIterations: number): Promise<number> {
  return (await minimizeRegret(tree, { maximumIterations, targetNashConv: 0 })).nashConv;
}

describe("Kuhn poker", () => {
  // The same steps in rational numbers; OpenSpiel's CFRPlusSolver gives these too.
  test.each([
    { iterations: 1, nashConv: 11 / 12 },
    { iterations: 2, nashConv: 19 / 36 },
    { iterations: 10, nashConv: 0.06537418133668965 },
    { iterations: 100, nashConv: 0.002388808202223369 },
  ])("has a NashConv of $nashConv after $iterations iterations", async ({ iterations, nashConv }) => {
    expectClose(await nashConvAfter(iterations), nashConv, tolerances.float64);
    expectDifferent(await nashConvAfter(iterations + 1), nashConv, tolerances.float64);
  });

  test("comes below 1e-3 in less than 200 iterations, and the first seat then gets -1/18", async () => {
    const { nashConv, iterationCount, returns } = await minimizeRegret(tree);
    expect(nashConv).toBeLessThan(1e-3);
    expect(iterationCount).toBeLessThan(200);
    expect(Math.abs(present(returns["first"], "a return") + 1 / 18)).toBeLessThan(nashConv);
  });

  test("comes ten times as near with ten times the iterations", async () => {
    const [after10 = NaN, after100 = NaN, after1000 = NaN] = await Promise.all(
      [10, 100, 1000].map(nashConvAfter),
    );
    expect(after100).toBeLessThan(after10 / 10);
    expect(after1000).toBeLessThan(after100 / 10);
  });

  test("is solved by one of Kuhn's equilibria", () => {
    const bet = (key: string): number => present(found.profile[key]?.choices["b"], key);
    const alpha = bet("first: J");
    expect(alpha).toBeGreaterThan(0);
    expect(alpha).toBeLessThan(1 / 3);
    const known = {
      "first: Q": 0,
      "first: K": 3 * alpha,
      "first: J after pass, bet": 0,
      "first: Q after pass, bet": alpha + 1 / 3,
      "first: K after pass, bet": 1,
      "second: J after pass": 1 / 3,
      "second: Q after pass": 0,
      "second: K after pass": 1,
      "second: J after bet": 0,
      "second: Q after bet": 1 / 3,
      "second: K after bet": 1,
    };
    for (const [key, probability] of Object.entries(known))
      expect(Math.abs(bet(key) - probability), key).toBeLessThan(0.01);
  });

  test("gives the same to the last bit each time", async () => {
    const again = await findEquilibrium(kuhnPoker, task, { targetNashConv: 1e-4 });
    expect(again.profile).toEqual(found.profile);
    expect(again.iterationCount).toBe(found.iterationCount);
  });

  test("tells how it gets on", async () => {
    const told: RegretProgress[] = [];
    const visits: number[] = [];
    await findEquilibrium(kuhnPoker, task, {
      maximumIterations: 20,
      onProgress: (progress) => told.push(progress),
      onVisits: (count) => visits.push(count),
    });
    expect(told.map(({ iterationCount }) => iterationCount)).toEqual([1, 2, 3, 4, 5, 7, 9, 12, 15, 19, 20]);
    expect(present(told.at(-1), "a figure").nashConv).toBe(await nashConvAfter(20));
    expect(visits[0]).toBe(0);
  });

  test("where both seats keep to it nobody gains; an opponent that plays at random loses to it", () => {
    const uniform = profileOf(tree, uniformBehavior);
    const mixed = profileOfSeats(tree, { first: found.profile, second: uniform });
    const { returns, nashConv, bestResponses } = exploitabilityOf(tree, mixed);
    expect(present(returns["first"], "a return")).toBeGreaterThan(-1 / 18 + 0.1);
    expect(nashConv).toBeGreaterThan(0.3);
    // What the second could get against the equilibrium is the value of the game, whoever sits there now.
    expect(Math.abs(present(bestResponses["second"], "an answer").value - 1 / 18)).toBeLessThan(1e-4);
    const both = profileOfSeats(tree, { first: found.profile, second: found.profile });
    expectClose(exploitabilityOf(tree, both).nashConv, found.nashConv, tolerances.float64);
  });
});

test("a seat without a profile is missed", async () => {
  await expectCode(
    Promise.resolve().then(() => profileOfSeats(tree, { first: found.profile })),
    "not-a-policy",
  );
});

test("a signal ends the growth of the tree and the search", async () => {
  const aborted = AbortSignal.abort();
  await expectCode(findEquilibrium(kuhnPoker, task, { signal: aborted }), "aborted");
  const controller = new AbortController();
  setImmediate(() => controller.abort());
  const endless = { targetNashConv: -1, maximumIterations: Infinity, signal: controller.signal };
  await expectCode(minimizeRegret(tree, endless), "aborted");
  const { signal } = controller;
  await expectCode(growTree(ticTacToe, { isExplained: false }, { signal }), "aborted");
});

test("more than two seats, and returns that do not add up to zero, are refused before a tree is grown", async () => {
  const never = { onVisits: () => expect.fail("the tree is grown") };
  await expectCode(
    findEquilibrium({ ...kuhnPoker, seats: ["first", "second", "third"] }, task, never),
    "not-solvable",
  );
  const facts = { ...kuhnPoker.facts, isZeroSum: false };
  await expectCode(findEquilibrium({ ...kuhnPoker, facts }, task, never), "not-solvable");
});

test("a tree with an end that does not add up is refused, whatever the game states", async () => {
  const end = (first: number): Branch => ({ kind: "end", returns: { first, second: 1 } });
  const unfair: MatchTree = { ...tree, root: { kind: "chance", branches: [end(-1), end(0)] } };
  await expectCode(minimizeRegret(unfair), "not-solvable");
  const three: MatchTree = { ...tree, seats: ["first", "second", "third"] };
  await expectCode(minimizeRegret(three), "not-solvable");
  await expect(minimizeRegret(tree, { maximumIterations: 0 })).rejects.toThrow("maximumIterations");
});
