import { expect, test } from "vitest";
import { createRandom } from "./random.ts";
import { seedAt, seedStream } from "./seed-stream.ts";

const draws = (random: { uniform(): number }, count = 8): number[] =>
  Array.from({ length: count }, () => random.uniform());

test("numbers depend on the seed and the stream, never on what was drawn elsewhere", () => {
  const before = draws(seedStream(7, 1));
  const both = [seedStream(7, 1), seedStream(7, 2)] as const;
  const mixed = Array.from({ length: 8 }, () => both.map((random) => random.uniform()));
  expect(mixed.map(([first]) => first)).toEqual(before);
  for (const other of [seedStream(7, 2), seedStream(8, 1), seedStream(1, 7), createRandom(7)])
    expect(draws(other)).not.toEqual(before);
});

test("a part of a stream has numbers of its own, however much was drawn", () => {
  const random = seedStream(7, 1);
  const before = draws(random.split("a"));
  draws(random, 100);
  expect(draws(random.split("a"))).toEqual(before);
  for (const other of [random.split("b"), seedStream(7, 2).split("a"), createRandom(7).split("a")])
    expect(draws(other)).not.toEqual(before);
});

test("the numbers of a seed stay what they are: plays are repeated with them", () => {
  const random = seedStream(seedAt(1, 2), 0);
  const drawn = [
    random.seed(),
    random.integer(1000),
    random.uniform().toFixed(12),
    random.pick(["a", "b", "c"]),
  ];
  expect(drawn).toEqual([174_068_444, 560, "0.741139611151", "c"]);
});

test("seeds at different places, and first numbers of different streams, are as if drawn", () => {
  const count = 20_000;
  const seeds = Array.from({ length: count }, (_value, place) => seedAt(1, place));
  expect(seeds.every((seed) => Number.isInteger(seed) && seed >= 0 && seed < 2 ** 31)).toBe(true);
  // Of 20,000 among 2^31, 0.09 pairs are expected to be the same.
  expect(new Set(seeds).size).toBeGreaterThanOrEqual(count - 3);
  const firsts = [
    seeds.map((seed) => seed / 2 ** 31),
    seeds.map((seed) => seedStream(seed, 0).uniform()),
    Array.from({ length: count }, (_value, stream) => seedStream(1, stream).uniform()),
    draws(seedStream(1, 0), count),
  ];
  for (const numbers of firsts) {
    // Standard errors of mean and of lag-one correlation are 0.002 and 0.007: five of them.
    expect(Math.abs(numbers.reduce((sum, value) => sum + value, 0) / count - 0.5)).toBeLessThan(0.0102);
    const lagged = numbers.slice(1).map((value, index) => 12 * (value - 0.5) * ((numbers[index] ?? 0) - 0.5));
    expect(Math.abs(lagged.reduce((sum, value) => sum + value, 0) / count)).toBeLessThan(0.036);
    const counts = Array.from({ length: 10 }, () => 0);
    for (const value of numbers) counts[Math.floor(value * 10)] = (counts[Math.floor(value * 10)] ?? 0) + 1;
    // Chi-squared with 9 degrees of freedom: 33.7 is passed once in ten thousand.
    expect(counts.reduce((sum, found) => sum + (found - 2000) ** 2 / 2000, 0)).toBeLessThan(33.7);
  }
});
