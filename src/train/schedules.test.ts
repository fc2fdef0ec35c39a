import { expect, test } from "vitest";
import { tolerances } from "../testing/index.ts";
import { constantSchedule, cosineSchedule, linearSchedule } from "./schedules.ts";

const relative = (value: number): number => Number(value.toPrecision(7));
const peak = 5e-7;

test("a 6-epoch schedule that is stopped after 2 epochs has the rates of the published runs", () => {
  const schedule = linearSchedule({ learningRate: peak, warmupShare: 0.1, lengthUpdates: 6 * 778 });
  expect(relative(schedule(778, 1556))).toBe(4.62985e-7);
  expect(relative(schedule(1556, 1556))).toBe(3.70388e-7);
  expect(schedule(467, 1556), "the peak comes when 467 updates of warm-up are over").toBe(peak);
  expect(schedule(466, 1556)).toBeLessThan(peak);
});

test("a 2-epoch schedule ends at nothing", () => {
  const schedule = linearSchedule({ learningRate: peak, warmupShare: 0.1 });
  expect(relative(schedule(778, 1556))).toBe(2.778571e-7);
  expect(schedule(156, 1556)).toBe(peak);
  expect(schedule(155, 1556)).toBeLessThan(peak);
  expect(schedule(1556, 1556)).toBe(0);
  expect(schedule(0, 1556)).toBe(0);
});

test("a constant rate is reached after the warm-up and stays", () => {
  const schedule = constantSchedule({ learningRate: 2, warmupShare: 0.25 });
  expect([0, 1, 2, 5, 7].map((index) => schedule(index, 8))).toEqual([0, 1, 2, 2, 2]);
  expect(constantSchedule({ learningRate: 2 })(0, 8)).toBe(2);
});

test("half a cosine passes its middle at half the way, and ends where it is told", () => {
  const schedule = cosineSchedule({ learningRate: 1, finalShare: 0.1 });
  expect(schedule(0, 8)).toBe(1);
  expect(Math.abs(schedule(4, 8) - 0.55)).toBeLessThan(tolerances.float64.relative);
  expect(Math.abs(schedule(8, 8) - 0.1)).toBeLessThan(tolerances.float64.relative);
  expect(Math.abs(schedule(3, 8) - 0.55)).toBeGreaterThan(0.1);
});

test("beyond the length of the schedule the rate stays at its end", () => {
  expect(linearSchedule({ learningRate: 1, lengthUpdates: 4, finalShare: 0.05 })(9, 20)).toBe(0.05);
});
