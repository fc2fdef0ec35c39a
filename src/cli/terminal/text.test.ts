import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { align, cut, manyLines, oneLine, widthOf } from "./text.ts";

describe("text on a terminal", () => {
  test("an escape sequence in a sample is shown, not obeyed", () => {
    expect(oneLine("\u001b[2Jgone\n")).toBe("\\u001b[2Jgone\\n");
    expect(manyLines("two\nlines\u001b]0;title\u0007")).toBe("two\nlines\\u001b]0;title\\u0007");
  });

  test("no text reaches the terminal with a control character", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary" }), (text) => {
        for (const character of oneLine(text)) {
          const code = character.codePointAt(0) ?? 0;
          expect(code >= 32 && (code < 127 || code > 159)).toBe(true);
        }
      }),
    );
  });

  test("wide characters count as two columns", () => {
    expect(widthOf("自己")).toBe(4);
    expect(align("自己", 6, "left")).toBe("自己  ");
    expect(align("7", 3, "right")).toBe("  7");
  });

  test("a cut text fits its width and says that it was cut", () => {
    expect(cut("proposer", 8)).toBe("proposer");
    expect(cut("proposers", 8)).toBe("propose…");
    fc.assert(
      fc.property(fc.string({ unit: "grapheme" }), fc.integer({ min: 1, max: 20 }), (text, width) => {
        expect(widthOf(cut(oneLine(text), width))).toBeLessThanOrEqual(width);
      }),
    );
  });
});
