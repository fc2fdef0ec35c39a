/**
 * Engines, players, services, clocks and disks that fail, hang, answer late or twice, and people who press
 * ctrl-C: what was finished is never lost, nothing is counted twice, each process ends in progress or in a
 * clear error, and leaves no timer, file, thread or process behind.
 * Longer: `npm run test:long -- faults`, with `--engine embedded` on the real one.
 */
import { expect, test } from "vitest";
import { runSeeds } from "./run-seeds.ts";

test("runs survive sixty seeds of faults", async () => {
  const { problems, seedCount, comparedCount, ends, struck } = await runSeeds({
    first: 1,
    last: 60,
    engine: "fake",
  });
  expect(problems.join("\n")).toBe("");
  expect(seedCount).toBe(60);
  expect(comparedCount).toBeGreaterThan(10);
  // A world in which nothing fails would prove nothing.
  expect(ends["finished"]).toBeGreaterThan(60);
  for (const code of ["aborted", "deadline-exceeded", "disk-full", "engine-failed", "too-many-failures"])
    expect(ends[code], code).toBeGreaterThan(0);
  for (const at of ["engine", "player", "service", "clock", "disk", "stop", "death", "stale", "close"])
    expect(struck[at], at).toBeGreaterThan(0);
}, 300_000);

test("so they do on the embedded engine, whose thread dies, and whose calls are cancelled in their middle", async () => {
  const { problems, seedCount, comparedCount, ends, struck } = await runSeeds({
    first: 1,
    last: 5,
    engine: "embedded",
  });
  expect(problems.join("\n")).toBe("");
  expect(seedCount).toBe(5);
  expect(comparedCount).toBeGreaterThan(0);
  expect(ends["finished"]).toBeGreaterThanOrEqual(5);
  expect((struck["thread"] ?? 0) + (struck["cancel"] ?? 0)).toBeGreaterThan(0);
}, 300_000);
