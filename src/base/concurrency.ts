/** Bounded concurrency: many items, at most `limit` at once, results in the order of the items. */
import { assert } from "./assert.ts";

/**
 * Runs `task` over all items with at most `limit` under way. The first failure stops new tasks from
 * starting, is thrown once those under way have settled, and nothing is left running.
 */
export async function mapBounded<Item, Result>(
  items: readonly Item[],
  limit: number,
  task: (item: Item, itemIndex: number) => Promise<Result>,
): Promise<Result[]> {
  assert(Number.isInteger(limit) && limit > 0, `limit must be a positive integer, got ${limit}`);
  const results = Array.from<Result>({ length: items.length });
  const failures: unknown[] = [];
  let next = 0;
  const lane = async (): Promise<void> => {
    while (next < items.length && failures.length === 0) {
      const itemIndex = next++;
      try {
        results[itemIndex] = await task(items[itemIndex] as Item, itemIndex);
      } catch (thrown) {
        failures.push(thrown);
      }
    }
  };
  await Promise.all(Array.from({ length: Math.min(limit, items.length) }, lane));
  if (failures.length > 0) throw failures[0];
  return results;
}

/** Runs tasks one after another in the order in which they were added; a failure does not stop the rest. */
export class SerialQueue {
  #tail: Promise<unknown> = Promise.resolve();

  add<T>(task: () => Promise<T>): Promise<T> {
    const result = this.#tail.then(task, task);
    this.#tail = result.catch(() => undefined);
    return result;
  }
}
