/**
 * Engines, players, services, clocks and disks that fail, hang, answer late or twice, and people who press
 * ctrl-C: what was finished is never lost, nothing is counted twice, each process ends in progress or in a
 * clear error, and leaves no timer, file or process behind. Longer: `npm run test:long -- faults`.
 */
import { expect, test } from "vitest";
import { runSeeds } from "./run-seeds.ts";

test("runs survive sixty seeds of faults", async () => {
  const { problems, seedCount, ends, struck } = await runSeeds(1, 60);
  expect(problems.join("\n")).toBe("");
  expect(seedCount).toBe(60);
  // A world in which nothing fails would prove nothing.
  expect(ends["finished"]).toBeGreaterThan(60);
  for (const code of ["aborted", "deadline-exceeded", "disk-full", "engine-failed", "too-many-failures"])
    expect(ends[code], code).toBeGreaterThan(0);
  for (const at of ["engine", "player", "service", "clock", "disk", "stop", "death", "stale", "close"])
    expect(struck[at], at).toBeGreaterThan(0);
}, 300_000);
