/** The worked batch of TRR++: six groups in three forms, beside one baseline for all. */
import fc from "fast-check";
import { expect, test } from "vitest";
import { expectClose } from "../testing/expect-golden.ts";
import { printedTo, tolerances, widened } from "../testing/tolerances.ts";
import {
  taskRelativeAdvantages,
  type GroupStatistics,
  type RewardedResponse,
} from "./task-relative-advantages.ts";

const printed = printedTo(6);

const worked = [
  {
    group: "ded/propose",
    rewards: [0.75, 0.25, -0.5, -1],
    lengths: [3, 1, 2, 4],
    population: [1.299867, 0.557086, -0.557086, -1.299867],
    sample: [1.125718, 0.482451, -0.482451, -1.125718],
    token: [1.264911, 0.632456, -0.316228, -0.948683],
  },
  {
    group: "abd/propose",
    rewards: [0.875, 0.5, -0.5, -0.5],
    lengths: [2, 2, 2, 2],
    population: [1.284164, 0.667765, -0.975964, -0.975964],
    sample: [1.112118, 0.578302, -0.84521, -0.84521],
    token: [1.201225, 0.624637, -0.912931, -0.912931],
  },
  {
    group: "ind/propose",
    rewards: [-1, -1, -0.5, 0.125],
    lengths: [5, 1, 1, 3],
    population: [-0.878459, -0.878459, 0.202721, 1.554196],
    sample: [-0.760767, -0.760767, 0.175562, 1.345973],
    token: [-0.728656, -0.728656, 0.211545, 1.386796],
  },
  {
    group: "ded/solve",
    rewards: [1, 1, 1, -0.5],
    lengths: [2, 4, 3, 1],
    population: [0.57735, 0.57735, 0.57735, -1.732051],
    sample: [0.5, 0.5, 0.5, -1.5],
    token: [0.316228, 0.316228, 0.316228, -2.84605],
  },
  {
    group: "abd/solve",
    rewards: [1, -0.5, -0.5, -1],
    lengths: [6, 1, 1, 2],
    population: [1.666667, -0.333333, -0.333333, -1],
    sample: [1.443376, -0.288675, -0.288675, -0.866025],
    token: [0.76175, -0.870571, -0.870571, -1.414679],
  },
  {
    group: "ind/solve",
    rewards: [-0.5, -0.5, -0.5, -0.5],
    lengths: [1, 2, 3, 4],
    population: [0, 0, 0, 0],
    sample: [0, 0, 0, 0],
    token: [0, 0, 0, 0],
  },
];

const responses: readonly RewardedResponse[] = worked.flatMap(({ group, rewards, lengths }) =>
  rewards.map((reward, index) => ({ group, reward, tokenCount: lengths[index] ?? 0 })),
);

const forms = [
  ["response-population", "population"],
  ["response-sample", "sample"],
  ["token", "token"],
] as const;

test.each(forms)("the worked batch with %s statistics", (statistics, column) => {
  const advantages = taskRelativeAdvantages(responses, statistics);
  expectClose(
    [...advantages],
    worked.flatMap((group) => group[column]),
    printed,
  );
  // One reward more in a group shows in that group.
  const changed = responses.map((one, index) => (index === 0 ? { ...one, reward: 0.5 } : one));
  const others = taskRelativeAdvantages(changed, statistics);
  expect(others[0]).not.toBeCloseTo(advantages[0] ?? 0, 3);
  expect(others.slice(4), "and in no other").toEqual(advantages.slice(4));
});

test("one baseline for all rewards would punish a group that always fails, and pay another for being rare", () => {
  const one = responses.map((response) => ({ ...response, group: "all" }));
  const advantages = taskRelativeAdvantages(one, "response-population");
  expectClose(advantages.slice(20), Array(4).fill(-0.529641), printed);
  expectClose([advantages[16] ?? 0], [1.588923], printed);
});

const group = fc.array(
  fc.record({
    reward: fc.constantFrom(-1, -0.5, 0, 0.125, 0.5, 0.875, 1),
    tokenCount: fc.integer({ min: 1, max: 50 }),
  }),
  { minLength: 2, maxLength: 12 },
);
const close = widened(tolerances.float64, 100, "sums of up to 600 terms");

test("weighted by what they count, advantages of a group add up to nothing", () => {
  fc.assert(
    fc.property(group, (members) => {
      const rows = members.map((member) => ({ ...member, group: "a" }));
      const token = taskRelativeAdvantages(rows, "token");
      expectClose(
        [rows.reduce((sum, { tokenCount }, row) => sum + tokenCount * (token[row] ?? 0), 0)],
        [0],
        close,
      );
      const plain = taskRelativeAdvantages(rows, "response-population");
      expectClose([plain.reduce((sum, one) => sum + one, 0)], [0], close);
    }),
  );
});

test("with equal lengths, token statistics differ by Bessel's factor over tokens alone", () => {
  const rows = [1, 0, -0.5].map((reward) => ({ reward, group: "a", tokenCount: 7 }));
  const token = taskRelativeAdvantages(rows, "token");
  const population = taskRelativeAdvantages(rows, "response-population");
  const factor = Math.sqrt(20 / 21);
  expectClose(
    [...token],
    [...population].map((one) => one * factor),
    printedTo(6),
  );
});

test("an affine change of the rewards of one group changes nothing", () => {
  for (const statistics of ["response-population", "response-sample"] satisfies GroupStatistics[]) {
    const changed = responses.map((one) =>
      one.group === "abd/solve" ? { ...one, reward: 3 * one.reward - 7 } : one,
    );
    expectClose(
      [...taskRelativeAdvantages(changed, statistics)],
      [...taskRelativeAdvantages(responses, statistics)],
      close,
    );
  }
});

test.each(forms)("groups of one value get exact zeros with %s statistics", (statistics) => {
  const rows = [0.1, 0.1, 0.1, 0.7].map((reward, row) => ({
    reward,
    group: row < 3 ? "same" : "alone",
    tokenCount: row + 1,
  }));
  expect([...taskRelativeAdvantages(rows, statistics)]).toEqual([0, 0, 0, 0]);
});

test("a response without tokens has no token statistics", () => {
  const rows = [0, 1].map((reward) => ({ reward, group: "a", tokenCount: 0 }));
  expect(() => taskRelativeAdvantages(rows, "token")).toThrow("expected responses with tokens, got 0");
});
