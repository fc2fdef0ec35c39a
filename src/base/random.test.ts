import fc from "fast-check";
import { expect, test } from "vitest";
import { createRandom } from "./random.ts";

const draws = (random: { uniform(): number }, count = 8): number[] =>
  Array.from({ length: count }, () => random.uniform());

test("numbers depend on the seed and the labels, never on what was drawn before", () => {
  const parent = createRandom(7);
  const before = draws(parent.split("a", 1));
  draws(parent, 100);
  draws(parent.split("b"), 100);
  expect(draws(parent.split("a", 1))).toEqual(before);
  expect(draws(parent.split("a").split(1)), "a path of labels is one path").toEqual(before);
  for (const other of [
    parent.split("a", 2),
    parent.split("a", "1"),
    parent.split("a/1"),
    createRandom(8).split("a", 1),
  ])
    expect(draws(other)).not.toEqual(before);
});

test("the numbers of a seed stay what they are: recorded runs are resumed with them", () => {
  const random = createRandom(1).split("step", "answer-0");
  expect([
    random.seed(),
    random.integer(1000),
    random.uniform().toFixed(12),
    random.shuffle([1, 2, 3, 4, 5]),
  ]).toEqual([640_990_445, 50, "0.420018511843", [5, 1, 3, 4, 2]]);
});

test("draws have the distributions that their names say", () => {
  const random = createRandom(3);
  const count = 20_000;
  const uniform = draws(random, count);
  expect(Math.min(...uniform)).toBeGreaterThanOrEqual(0);
  expect(Math.max(...uniform)).toBeLessThan(1);
  // Standard errors are 0.002 and 0.007: five of them.
  expect(Math.abs(uniform.reduce((sum, value) => sum + value, 0) / count - 0.5)).toBeLessThan(0.0102);
  const normal = Array.from({ length: count }, () => random.normal());
  expect(Math.abs(normal.reduce((sum, value) => sum + value, 0) / count)).toBeLessThan(0.036);
  expect(Math.abs(normal.reduce((sum, value) => sum + value ** 2, 0) / count - 1)).toBeLessThan(0.051);
  const first = Array.from({ length: 6000 }, () => random.shuffle([0, 1, 2])[0]);
  for (const item of [0, 1, 2])
    expect(Math.abs(first.filter((value) => value === item).length - 2000)).toBeLessThan(190);
});

test("integers stay below their bound, shuffles keep every item and leave the list alone", () => {
  fc.assert(
    fc.property(fc.integer(), fc.integer({ min: 1, max: 50 }), fc.array(fc.nat()), (seed, bound, items) => {
      const random = createRandom(seed);
      const drawn = random.integer(bound);
      expect(Number.isInteger(drawn) && drawn >= 0 && drawn < bound).toBe(true);
      const copy = [...items];
      const shuffled = random.shuffle(items);
      expect(items).toEqual(copy);
      expect(shuffled.toSorted((a, b) => a - b)).toEqual(items.toSorted((a, b) => a - b));
      expect(random.seed()).toBeLessThan(2 ** 31);
    }),
  );
});

test.each([0, -2, 1.5])("a bound of %d is a mistake", (bound) => {
  expect(() => createRandom(1).integer(bound)).toThrow("bound must be a positive integer");
});
