import { EventEmitter } from "node:events";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { listenForInterrupts, type Interrupts, type InterruptName } from "./interrupts.ts";

interface Scene {
  readonly source: EventEmitter;
  readonly ends: InterruptName[];
  readonly told: InterruptName[];
  readonly interrupts: Interrupts;
  readonly pass: (ms: number) => void;
}

function scene(): Scene {
  const source = new EventEmitter();
  const ends: InterruptName[] = [];
  const told: InterruptName[] = [];
  let nowMs = 0;
  const interrupts = listenForInterrupts({
    source,
    clock: { nowMs: () => nowMs, monotonicMs: () => nowMs },
    endAtOnce: (name) => ends.push(name),
    onFirst: (name) => told.push(name),
    graceMs: 60_000,
  });
  return { source, ends, told, interrupts, pass: (ms) => void (nowMs += ms) };
}

describe("interrupts", () => {
  beforeEach(() => void vi.useFakeTimers());
  afterEach(() => void vi.useRealTimers());

  test("the first ctrl-C asks to stop, the second ends at once", () => {
    const { source, ends, told, interrupts, pass } = scene();
    source.emit("SIGINT");
    expect([interrupts.signal.aborted, interrupts.first, told, ends]).toEqual([
      true,
      "interrupted",
      ["interrupted"],
      [],
    ]);
    pass(1000);
    source.emit("SIGINT");
    expect([told, ends]).toEqual([["interrupted"], ["interrupted"]]);
  });

  test("a ctrl-C that npm passes on once more is one wish", () => {
    const { source, ends, pass } = scene();
    source.emit("SIGINT");
    pass(20);
    source.emit("SIGINT");
    expect(ends).toEqual([]);
  });

  test("a stop that takes too long ends with the code of what asked for it", () => {
    const { source, ends } = scene();
    source.emit("SIGTERM");
    vi.advanceTimersByTime(59_999);
    expect(ends).toEqual([]);
    vi.advanceTimersByTime(1);
    expect(ends).toEqual(["terminated"]);
  });

  test("a closed pipe asks to stop once, however often it reports", () => {
    const { ends, told, interrupts } = scene();
    interrupts.raise("closedPipe");
    interrupts.raise("closedPipe");
    expect([told, ends, interrupts.signal.aborted]).toEqual([["closedPipe"], [], true]);
  });

  test("signals go back to the process afterwards", () => {
    const { source, interrupts } = scene();
    interrupts.stopListening();
    expect(source.listenerCount("SIGINT")).toBe(0);
    vi.advanceTimersByTime(120_000);
  });
});
