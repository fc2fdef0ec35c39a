/** An hour and more of simulated training in seconds. Ten hours: `npm run test:long -- ten-hours`. */
import { expect, test } from "vitest";
import { figuresOf, problemsOf, runForHours, type LongFigures } from "./ten-hours.ts";

test("a long run stays as it was: memory, growth, log, open files, speed", async () => {
  const run = { steps: 360, episodesPerStep: 16, turnsPerEpisode: 8 };
  const figures = figuresOf(run, await runForHours(run));
  expect(figures.simulatedHours).toBeGreaterThan(1);
  expect(problemsOf(figures)).toEqual([]);
}, 300_000);

test("what grows is noticed", () => {
  const good: LongFigures = {
    simulatedHours: 10,
    heapRatio: 1,
    growthRatio: 1.1,
    growthDrift: 1,
    largestLogBytes: 5e6,
    openFileSpread: 0,
    largestCheckpointFolderCount: 2,
    slowdown: 1,
  };
  expect(problemsOf(good)).toEqual([]);
  const run = { steps: 20, episodesPerStep: 1, turnsPerEpisode: 1 };
  const growing = figuresOf(
    run,
    Array.from({ length: 20 }, (_value, index) => ({
      stepCount: index + 1,
      simulatedHours: index,
      heapBytes: 1e7 * (1 + index / 10),
      databaseBytes: 1000 * index ** 2,
      logBytes: 1e6 * index,
      openFileCount: 20 + index,
      checkpointFolderCount: index,
      cpuMs: index ** 2,
    })),
  );
  expect(problemsOf(growing)).toHaveLength(7);
});
