import { expect, test } from "vitest";
import { mapBounded, SerialQueue } from "./concurrency.ts";

/** A task that ends when it is told to. */
function gate(): { readonly opened: Promise<void>; readonly open: () => void } {
  const { promise, resolve } = Promise.withResolvers<void>();
  return { opened: promise, open: resolve };
}

const settled = (): Promise<void> => new Promise((resolve) => void setImmediate(resolve));

test("results come in the order of the items, with never more under way than allowed", async () => {
  const items = Array.from({ length: 20 }, (_, index) => index);
  let running = 0;
  let most = 0;
  const results = await mapBounded(items, 3, async (item) => {
    most = Math.max(most, ++running);
    for (let turn = 0; turn < (item * 7) % 5; turn++) await settled();
    running--;
    return item * 10;
  });
  expect(results).toEqual(items.map((item) => item * 10));
  expect(most).toBe(3);
  expect(await mapBounded([], 3, async () => 1)).toEqual([]);
});

test("after a failure nothing new starts, and it is thrown when those under way have settled", async () => {
  const started: number[] = [];
  const slow = gate();
  let isThrown = false;
  const failing = mapBounded([0, 1, 2, 3], 2, async (item) => {
    started.push(item);
    if (item === 0) throw new Error("first");
    await slow.opened;
  }).catch((thrown: unknown) => {
    isThrown = true;
    return thrown;
  });
  await settled();
  expect([started, isThrown]).toEqual([[0, 1], false]);
  slow.open();
  expect(await failing).toMatchObject({ message: "first" });
  expect(started).toEqual([0, 1]);
});

test.each([0, -1, 1.5, Number.NaN])("a limit of %d is a mistake", async (limit) => {
  await expect(mapBounded([1], limit, async () => 1)).rejects.toThrow("limit must be a positive integer");
});

test("a serial queue runs one task after another, also behind one that failed", async () => {
  const queue = new SerialQueue();
  const log: string[] = [];
  const first = gate();
  const tasks = [
    queue.add(async () => {
      log.push("a begins");
      await first.opened;
      log.push("a ends");
      throw new Error("a");
    }),
    queue.add(async () => log.push("b")),
  ];
  await settled();
  expect(log).toEqual(["a begins"]);
  first.open();
  expect((await Promise.allSettled(tasks)).map(({ status }) => status)).toEqual(["rejected", "fulfilled"]);
  expect(log).toEqual(["a begins", "a ends", "b"]);
});
