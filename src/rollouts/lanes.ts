/**
 * Many tasks at once, in lanes that take one after another, results in the order of the tasks. Lanes
 * are opened all together, unless the first task gets on without the event loop: then few lanes do as
 * much as many, and what they work on stays in the cache.
 */
import { nextRound, nextStep, type Breath } from "./breath.ts";

export interface LanesOptions {
  /** Tasks under way at once. */
  readonly limit: number;
  /** Tasks tell it what they are answered. */
  readonly breath: Breath;
}

/** Steps in which a task that waits for nothing has got somewhere. */
const lookSteps = 4;
/** Lanes that are opened first where it has; then so many times as many with each round of the event loop. */
const growth = 8;

/**
 * Runs `task` over all items. The first failure stops new tasks from starting, is thrown once those
 * under way have settled, and nothing is left running.
 */
export async function runInLanes<Item, Result>(
  items: readonly Item[],
  options: LanesOptions,
  task: (item: Item, itemIndex: number) => Promise<Result>,
): Promise<Result[]> {
  const { limit, breath } = options;
  const results = Array.from<Result>({ length: items.length });
  const failures: unknown[] = [];
  const lanes: Promise<void>[] = [];
  let next = 0;
  const isOver = (): boolean => next >= items.length || failures.length > 0;
  const lane = async (): Promise<void> => {
    while (!isOver()) {
      const itemIndex = next++;
      try {
        results[itemIndex] = await task(items[itemIndex] as Item, itemIndex);
      } catch (thrown) {
        failures.push(thrown);
      }
      if (breath.isDue()) await breath.draw();
    }
  };
  const openUpTo = (count: number): void => {
    while (lanes.length < Math.min(count, limit) && !isOver()) lanes.push(lane());
  };
  openUpTo(1);
  const goesOnAlone = await getsOn(breath);
  for (let count = goesOnAlone ? growth : limit; lanes.length < limit && !isOver();) {
    openUpTo(count);
    await nextRound();
    // Lanes that had to draw breath have enough to do.
    if (!breath.takeDrawn()) count *= growth;
  }
  await Promise.all(lanes);
  if (failures.length > 0) throw failures[0];
  return results;
}

async function getsOn(breath: Breath): Promise<boolean> {
  for (let step = 0; step < lookSteps; step++) await nextStep();
  return breath.answeredCount > 0;
}
