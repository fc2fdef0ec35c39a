/** The entropy bonus: worked numbers of both ways to set it, and that steering arrives. */
import { expect, test } from "vitest";
import { coefficientAt, steer } from "./entropy-control.ts";
import { gamesOptions } from "./options.ts";

const { entropy } = gamesOptions.parse({});

test("by schedule the coefficient falls linearly, whatever was steered", () => {
  const schedule = { ...entropy, control: "schedule" as const, start: 0.15, end: 0.05 };
  expect([0, 0.5, 1].map((share) => coefficientAt(schedule, share, 0.4))).toEqual([0.15, 0.1, 0.05]);
});

test("by target it begins at the start and is then what was steered", () => {
  expect(coefficientAt({ ...entropy, start: 0.15 }, 0, undefined)).toBe(0.15);
  expect(coefficientAt(entropy, 0.5, 0.07)).toBe(0.07);
});

test("steering multiplies by exp(gain x distance) of a target that falls", () => {
  const options = { ...entropy, targetStartNats: 2, targetEndNats: 1, gain: 0.1 };
  // Halfway the target is 1.5 nats.
  expect(steer(options, 0.5, { coefficient: 0.1, entropyNats: 1 })).toBeCloseTo(0.1 * Math.exp(0.05), 12);
  expect(steer(options, 0.5, { coefficient: 0.1, entropyNats: 2 })).toBeCloseTo(0.1 * Math.exp(-0.05), 12);
  expect(steer(options, 0.5, { coefficient: 0.1, entropyNats: 1.5 })).toBe(0.1);
});

test("a coefficient neither vanishes nor runs away", () => {
  const steered = (entropyNats: number): number => {
    let coefficient = 0.1;
    for (let update = 0; update < 1000; update++)
      coefficient = steer(entropy, 0, { coefficient, entropyNats });
    return coefficient;
  };
  expect(steered(0)).toBe(0.5);
  expect(steered(10)).toBe(0.001);
});

test("steering brings a policy whose entropy follows its bonus to the target", () => {
  // Entropy of a two-armed softmax policy with advantages +-1 at its optimum under bonus c: logits +-1/c.
  const entropyAt = (coefficient: number): number => {
    const p = 1 / (1 + Math.exp(-2 / coefficient));
    return -p * Math.log(p) - (1 - p) * Math.log(Math.max(1 - p, 1e-300));
  };
  const options = { ...entropy, targetStartNats: 0.05, targetEndNats: 0.05 };
  let coefficient = 0.05;
  for (let update = 0; update < 3000; update++)
    coefficient = steer(options, 0, { coefficient, entropyNats: entropyAt(coefficient) });
  expect(entropyAt(coefficient)).toBeCloseTo(0.05, 3);
});
