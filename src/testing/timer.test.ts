import { expect, test } from "vitest";
import { ManualTimer, systemTimer } from "./timer.ts";

test("a manual timer wakes in the order of due times, also what is started on the way", async () => {
  const timer = new ManualTimer();
  const woken: string[] = [];
  const late = timer.wait(30).then(() => woken.push(`late ${timer.nowMs}`));
  const chain = timer
    .wait(10)
    .then(() => woken.push(`first ${timer.nowMs}`))
    .then(() => timer.wait(10))
    .then(() => woken.push(`second ${timer.nowMs}`));
  await timer.advance(29);
  expect(woken).toEqual(["first 10", "second 20"]);
  await timer.advance(1);
  expect(woken).toEqual(["first 10", "second 20", "late 30"]);
  expect([timer.nowMs, timer.waitingCount]).toEqual([30, 0]);
  await Promise.all([late, chain]);
});

test("a signal ends a wait with its reason, on both timers", async () => {
  for (const timer of [new ManualTimer(), systemTimer]) {
    const controller = new AbortController();
    const waiting = timer.wait(60_000, controller.signal);
    controller.abort(new Error("enough"));
    await expect(waiting).rejects.toThrow("enough");
    await expect(timer.wait(60_000, AbortSignal.abort(new Error("before")))).rejects.toThrow("before");
  }
});

test("the system timer wakes", async () => {
  await systemTimer.wait(0);
});
