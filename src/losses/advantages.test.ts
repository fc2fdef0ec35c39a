import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { tokens, type Datum } from "../contract/index.ts";
import { expectCode } from "../testing/expect-code.ts";
import { expectClose, expectDifferent, expectGolden } from "../testing/expect-golden.ts";
import { tolerances, widened } from "../testing/tolerances.ts";
import { groupAdvantages, whiten, type GroupAdvantageOptions } from "./group-advantages.ts";
import {
  initialMovingAverage,
  movingAverageAdvantages,
  reinforceAdvantages,
} from "./reinforce-advantages.ts";
import { withAdvantage } from "./with-advantage.ts";

const exact = tolerances.float64;
const rewardsAndGroups = fc.array(
  fc.tuple(fc.double({ min: -5, max: 5, noNaN: true }), fc.constantFrom("a", "b", "c")),
  {
    minLength: 1,
    maxLength: 12,
  },
);

type Method = (rewards: readonly number[], groupIds: readonly string[]) => Float64Array;

const grouped =
  (options: GroupAdvantageOptions): Method =>
  (rewards, groupIds) =>
    groupAdvantages(rewards, groupIds, options);

/** Methods that subtract what the rewards have in common. */
const centred: Readonly<Record<string, Method>> = {
  "batch mean": (rewards) => reinforceAdvantages(rewards, "batch-mean"),
  "leave one out": (rewards) => reinforceAdvantages(rewards, "leave-one-out"),
  "group mean": grouped({}),
  "group mean and deviation": grouped({ deviation: "population", epsilon: 0.1 }),
  "leave one out of the group": grouped({ baseline: "leave-one-out" }),
  whitening: (rewards) => whiten(rewards, { epsilon: 0.1 }),
};

describe("by hand", () => {
  test("rewards 1, 0, 0, 1, 0.5 in two groups", () => {
    const groups = ["a", "a", "a", "b", "b"];
    expectGolden({
      input: [1, 0, 0, 1, 0.5],
      perturbed: [1, 0, 0.1, 1, 0.4],
      expected: {
        none: [1, 0, 0, 1, 0.5],
        batchMean: [0.5, -0.5, -0.5, 0.5, 0],
        // 5/4 of the distance to the mean of 0.5.
        leaveOneOut: [0.625, -0.625, -0.625, 0.625, 0],
        group: [2 / 3, -1 / 3, -1 / 3, 0.25, -0.25],
        // Deviations sqrt(2/9) and 1/4.
        groupPopulation: [Math.SQRT2, -Math.SQRT1_2, -Math.SQRT1_2, 1, -1],
        // Deviations sqrt(1/3) and sqrt(1/8).
        groupSample: [2 / Math.sqrt(3), -1 / Math.sqrt(3), -1 / Math.sqrt(3), Math.SQRT1_2, -Math.SQRT1_2],
        groupLeaveOneOut: [1, -0.5, -0.5, 0.5, -0.5],
      },
      tolerance: exact,
      compute: (rewards) => ({
        none: reinforceAdvantages(rewards, "none"),
        batchMean: reinforceAdvantages(rewards, "batch-mean"),
        leaveOneOut: reinforceAdvantages(rewards, "leave-one-out"),
        group: groupAdvantages(rewards, groups),
        groupPopulation: groupAdvantages(rewards, groups, { deviation: "population", epsilon: 0 }),
        groupSample: groupAdvantages(rewards, groups, { deviation: "sample", epsilon: 0 }),
        groupLeaveOneOut: groupAdvantages(rewards, groups, { baseline: "leave-one-out" }),
      }),
    });
  });

  test("whitening gives mean 0 and deviation 1", () => {
    expectClose(whiten([1, 3], { epsilon: 0 }), [-1, 1], exact, "two values");
    expectClose(
      whiten([1, 3], { epsilon: 0, deviation: "sample" }),
      [-Math.SQRT1_2, Math.SQRT1_2],
      exact,
      "sample",
    );
    expectClose(whiten([2, 2, 2]), [0, 0, 0], exact, "equal values");
  });

  test("the moving average sees a batch after it was used", () => {
    const first = movingAverageAdvantages([1, 3], { average: initialMovingAverage, decay: 0.75 });
    expectClose(first.advantages, [-1, 1], exact, "first batch");
    const second = movingAverageAdvantages([4, 6], { average: first.average, decay: 0.75 });
    expectClose(second.advantages, [2, 4], exact, "second batch");
    expectClose(second.average.mean ?? 0, 0.75 * 2 + 0.25 * 5, exact, "average");
    const restored = movingAverageAdvantages([4, 6], {
      average: JSON.parse(JSON.stringify(first.average)),
      decay: 0.75,
    });
    expect(restored, "the state is JSON").toEqual(second);
    expect(movingAverageAdvantages([], { average: first.average, decay: 0.75 }).average).toEqual(
      first.average,
    );
  });

  test("a lone row and equal rewards have advantage 0", () => {
    for (const [name, method] of Object.entries(centred)) {
      expect(Math.abs(method([7], ["a"])[0] ?? 1), name).toBe(0);
      expectClose(method([2, 2, 2], ["a", "a", "a"]), [0, 0, 0], exact, name);
    }
  });
});

describe("properties", () => {
  for (const [name, method] of Object.entries(centred)) {
    test(`${name}: a constant added to the rewards changes no advantage`, () => {
      fc.assert(
        fc.property(rewardsAndGroups, fc.double({ min: -10, max: 10, noNaN: true }), (rows, shift) => {
          const groups = rows.map(([, group]) => group);
          const before = method(
            rows.map(([reward]) => reward),
            groups,
          );
          const after = method(
            rows.map(([reward]) => reward + shift),
            groups,
          );
          expectClose(
            after,
            before,
            widened(exact, 1000, "differences of shifted numbers, divided by small deviations"),
            name,
          );
        }),
      );
      expectDifferent(
        reinforceAdvantages([1, 2], "none"),
        reinforceAdvantages([2, 3], "none"),
        exact,
        "without baseline",
      );
    });

    test(`${name}: permuting the rows permutes the advantages`, () => {
      fc.assert(
        fc.property(rewardsAndGroups, fc.infiniteStream(fc.nat()), (rows, numbers) => {
          const order = rows
            .map((_row, index) => ({ index, key: numbers.next().value ?? 0 }))
            .toSorted((a, b) => a.key - b.key);
          const of = (list: typeof rows) =>
            method(
              list.map(([reward]) => reward),
              list.map(([, group]) => group),
            );
          const straight = of(rows);
          const shuffled = of(order.flatMap(({ index }) => rows.slice(index, index + 1)));
          expectClose(
            shuffled,
            order.map(({ index }) => straight[index] ?? 0),
            widened(exact, 100, "another order"),
            name,
          );
        }),
      );
    });
  }

  test("group advantages sum to zero in each group, and groups do not see each other", () => {
    fc.assert(
      fc.property(rewardsAndGroups, (rows) => {
        const rewards = rows.map(([reward]) => reward);
        const groups = rows.map(([, group]) => group);
        const advantages = groupAdvantages(rewards, groups, { deviation: "sample" });
        for (const group of ["a", "b", "c"]) {
          const sum = rows.reduce(
            (total, [, id], row) => total + (id === group ? (advantages[row] ?? 0) : 0),
            0,
          );
          expect(Math.abs(sum)).toBeLessThan(1e-6);
          const alone = rows.filter(([, id]) => id === group);
          const own = groupAdvantages(
            alone.map(([reward]) => reward),
            alone.map(([, id]) => id),
            { deviation: "sample" },
          );
          expectClose(
            own,
            [...advantages].filter((_entry, row) => groups[row] === group),
            exact,
            group,
          );
        }
      }),
    );
  });
});

test("groups and rewards must be as many, decay below 1", async () => {
  await expectCode(
    Promise.resolve().then(() => groupAdvantages([1, 2], ["a"])),
    "invalid-input",
  );
  await expectCode(
    Promise.resolve().then(() => movingAverageAdvantages([1], { average: initialMovingAverage, decay: 1 })),
    "invalid-input",
  );
});

test("withAdvantage puts one number on every target and keeps the rest", () => {
  const datum: Datum = {
    input: [tokens([1, 2])],
    targets: Int32Array.of(2, 3),
    weights: Float32Array.of(0, 1),
    groupId: "g",
  };
  expect(withAdvantage(datum, -0.5)).toEqual({ ...datum, advantages: Float32Array.of(-0.5, -0.5) });
  expect(datum.advantages).toBeUndefined();
});
