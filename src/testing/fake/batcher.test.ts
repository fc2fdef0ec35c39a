import { expect, test } from "vitest";
import { ManualTimer, nextTurn } from "../timer.ts";
import { Batcher } from "./batcher.ts";

const { signal } = new AbortController();

test("requests are answered in the order in which they came, as many at once as a batch holds", async () => {
  const timer = new ManualTimer();
  const batcher = new Batcher({ size: 2, durationMs: 50 }, timer);
  const answered: number[] = [];
  for (const request of [0, 1, 2]) void batcher.join(signal).then(() => answered.push(request));
  await nextTurn();
  await timer.advance(50);
  expect(answered).toEqual([0, 1]);
  await timer.advance(50);
  expect(answered).toEqual([0, 1, 2]);
  expect(batcher.sizes).toEqual([2, 1]);
});

test("who is no longer waited for takes no place, and is told so", async () => {
  const timer = new ManualTimer();
  const batcher = new Batcher({ size: 1, durationMs: 50 }, timer);
  const gone = new AbortController();
  const first = batcher.join(signal);
  const second = batcher.join(gone.signal).catch((reason: unknown) => reason);
  const third = batcher.join(signal);
  await nextTurn();
  gone.abort("nobody waits");
  await timer.advance(50);
  await first;
  await timer.advance(50);
  await third;
  expect(await second).toBe("nobody waits");
  expect(batcher.sizes).toEqual([1, 1]);
  const last = batcher.join(gone.signal).catch((reason: unknown) => reason);
  await nextTurn();
  expect(await last).toBe("nobody waits");
  expect(batcher.sizes, "a batch of nobody is not begun").toEqual([1, 1]);
});
