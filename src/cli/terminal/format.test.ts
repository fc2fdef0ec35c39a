import { describe, expect, test } from "vitest";
import { countOf, formatBytes, formatCount, formatDuration, formatRate } from "./format.ts";

describe("numbers for people", () => {
  test("durations grow from tenths of seconds to hours", () => {
    expect([0, 1240, 9960, 59_400, 61_000, 3_729_000].map(formatDuration)).toEqual([
      "0.0 s",
      "1.2 s",
      "10 s",
      "59 s",
      "1:01",
      "1:02:09",
    ]);
  });

  test("an estimate that cannot be made is called unknown", () => {
    expect(formatDuration(Number.POSITIVE_INFINITY)).toBe("unknown");
  });

  test("bytes carry three significant digits", () => {
    expect([0, 999, 1000, 1_250_000_000, 999_600_000].map(formatBytes)).toEqual([
      "0 B",
      "999 B",
      "1.00 kB",
      "1.25 GB",
      "1.00 GB",
    ]);
  });

  test("counts are grouped and rates stay readable at any size", () => {
    expect(formatCount(1672)).toBe("1,672");
    expect([0.0417, 41.23, 6510.4].map(formatRate)).toEqual(["0.0417", "41.2", "6,510"]);
    expect([countOf(1, "thread"), countOf(2, "thread")]).toEqual(["1 thread", "2 threads"]);
  });
});
