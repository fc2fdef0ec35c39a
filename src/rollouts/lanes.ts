/**
 * Many tasks at once, in lanes that take one after another, results in the order of the tasks. Lanes
 * are opened in large portions, one with each round of the event loop, so that of many thousands the first are on
 * their way while others begin; where the first task gets on without the event loop, few lanes do as much as many, and what they work on
 * stays in the cache.
 */
import { nextRound, type Breath } from "./breath.ts";
import { nextStep } from "./steps.ts";

export interface LanesOptions {
  /** Tasks under way at once. */
  readonly limit: number;
  /** Tasks tell it what they are answered. */
  readonly breath: Breath;
}

/** What is done with each item. */
export interface LaneTask<Item, Worked, Result> {
  /** Takes the lane. */
  work(item: Item, itemIndex: number): Promise<Worked>;
  /** Leaves the lane to the next item: a wait for the disk, which many can share. */
  finish(worked: Worked): Promise<Result>;
}

/** Steps in which a task that waits for nothing has got somewhere. */
const lookSteps = 4;
/** Lanes that are opened with each round where it has not: fewer would part in two what an engine answers at once. */
const portion = 1024;
/** Lanes that are opened first where it has; then so many times as many with each round of the event loop. */
const growth = 8;

/**
 * Does all items. The first failure stops new ones from starting, is thrown once those under way have
 * settled, and nothing is left running.
 */
export async function runInLanes<Item, Worked, Result>(
  items: readonly Item[],
  options: LanesOptions,
  task: LaneTask<Item, Worked, Result>,
): Promise<Result[]> {
  const { limit, breath } = options;
  const results = Array.from<Result>({ length: items.length });
  const failures: unknown[] = [];
  const lanes: Promise<void>[] = [];
  const finishing = new Crowd();
  let next = 0;
  const isOver = (): boolean => next >= items.length || failures.length > 0;
  const finish = async (worked: Worked, itemIndex: number): Promise<void> => {
    try {
      results[itemIndex] = await task.finish(worked);
    } catch (thrown) {
      failures.push(thrown);
    }
    finishing.leave();
  };
  const lane = async (): Promise<void> => {
    while (!isOver()) {
      const itemIndex = next++;
      try {
        const worked = await task.work(items[itemIndex] as Item, itemIndex);
        finishing.enter();
        void finish(worked, itemIndex);
      } catch (thrown) {
        failures.push(thrown);
      }
      if (breath.isDue()) await breath.draw();
      await finishing.below(limit);
    }
  };
  const openUpTo = (count: number): void => {
    while (lanes.length < Math.min(count, limit) && !isOver()) lanes.push(lane());
  };
  openUpTo(1);
  const goesOnAlone = await getsOn(breath);
  for (let count = goesOnAlone ? growth : portion; lanes.length < limit && !isOver();) {
    openUpTo(count);
    await nextRound();
    if (!goesOnAlone) count += portion;
    // Lanes that had to draw breath have enough to do.
    else if (!breath.takeDrawn() && finishing.size < limit) count *= growth;
  }
  await Promise.all(lanes);
  await finishing.below(1);
  if (failures.length > 0) throw failures[0];
  return results;
}

/** How many are somewhere, and a wait until they are fewer. */
class Crowd {
  #size = 0;
  #left: PromiseWithResolvers<void> | null = null;

  get size(): number {
    return this.#size;
  }

  enter(): void {
    this.#size++;
  }

  leave(): void {
    this.#size--;
    this.#left?.resolve();
    this.#left = null;
  }

  async below(size: number): Promise<void> {
    while (this.#size >= size) {
      this.#left ??= Promise.withResolvers();
      await this.#left.promise;
    }
  }
}

async function getsOn(breath: Breath): Promise<boolean> {
  for (let step = 0; step < lookSteps; step++) await nextStep();
  return breath.answeredCount > 0;
}
