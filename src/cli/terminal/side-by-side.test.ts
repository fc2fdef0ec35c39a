import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { sideBySide } from "./side-by-side.ts";
import { widthOf } from "./text.ts";
import { wrap } from "./wrap.ts";

describe("side by side", () => {
  test("each text keeps its column", () => {
    const lines = sideBySide({ left: "one two three", right: "1\n2", maximumWidth: 21 });
    expect(lines).toEqual(["one two   │ 1", "three     │ 2"]);
  });

  test("without a width the left column is as wide as its longest line", () => {
    const lines = sideBySide({ left: "ab\nabcd", right: "x", maximumWidth: Number.POSITIVE_INFINITY });
    expect(lines).toEqual(["ab   │ x", "abcd │"]);
  });

  test("wrapping keeps every character but spaces, and no line is too wide", () => {
    fc.assert(
      fc.property(fc.string({ unit: "grapheme-ascii" }), fc.integer({ min: 2, max: 12 }), (text, width) => {
        const lines = wrap(text, width);
        expect(lines.join("").replaceAll(" ", "")).toBe(text.replaceAll(" ", ""));
        for (const line of lines) expect(widthOf(line)).toBeLessThanOrEqual(width);
      }),
    );
  });
});
