import { describe, expect, test } from "vitest";
import type { Clock } from "../../base/index.ts";
import { createProgressLine } from "./progress.ts";

function manualClock(): Clock & { pass(ms: number): void } {
  let nowMs = 0;
  return { nowMs: () => nowMs, monotonicMs: () => nowMs, pass: (ms) => void (nowMs += ms) };
}

describe("a progress line", () => {
  test("says what, how much, the rate, and both times", () => {
    const clock = manualClock();
    const line = createProgressLine({ what: "answering prompts", total: 400, unit: "prompts", clock });
    clock.pass(3000);
    line.reach(120);
    expect(line.text()).toBe("answering prompts  120/400 prompts  30 %  40.0/s  3.0 s elapsed, 7.0 s left");
    expect(line.isComplete).toBe(false);
  });

  test("makes no estimate before anything is done, and none when all is", () => {
    const clock = manualClock();
    const line = createProgressLine({ what: "training", total: 2, unit: "updates", clock });
    clock.pass(500);
    expect(line.text()).toBe("training  0/2 updates  0 %  0.5 s elapsed");
    clock.pass(500);
    line.reach(2);
    expect(line.text()).toBe("training  2/2 updates  100 %  2.00/s  1.0 s elapsed");
    expect(line.isComplete).toBe(true);
  });

  test("a slow start is forgotten", () => {
    const clock = manualClock();
    const line = createProgressLine({ what: "training", total: 1000, unit: "updates", clock });
    clock.pass(60_000);
    line.reach(1);
    for (let update = 2; update <= 400; update++) {
      clock.pass(100);
      line.reach(update);
    }
    // 600 updates at 10 per second; the average since the start would say 150 s.
    expect(line.text()).toMatch(/ 10\.0\/s .* 1:00 left$/u);
  });

  test("a total of nothing is complete and divides by nothing", () => {
    const line = createProgressLine({ what: "idle", total: 0, unit: "prompts", clock: manualClock() });
    expect(line.text()).toBe("idle  0/0 prompts  0.0 s elapsed");
    expect(line.isComplete).toBe(true);
  });
});
