import { describe, expect, test } from "vitest";
import { createStyle, wantsColours } from "./style.ts";

describe("colours", () => {
  const cases: readonly (readonly [boolean, Record<string, string>, boolean, string])[] = [
    [true, {}, true, "a terminal gets colours"],
    [false, {}, false, "a file gets none"],
    [true, { NO_COLOR: "1" }, false, "NO_COLOR turns them off"],
    [true, { NO_COLOR: "" }, true, "an empty NO_COLOR is as if it were not set"],
    [false, { FORCE_COLOR: "1" }, true, "FORCE_COLOR turns them on in a file"],
    [true, { FORCE_COLOR: "0" }, false, "FORCE_COLOR=0 turns them off on a terminal"],
    [true, { TERM: "dumb" }, false, "a dumb terminal gets none"],
  ];
  for (const [isTerminal, environment, expected, claim] of cases) {
    test(`${claim}`, () => expect(wantsColours({ isTerminal, environment })).toBe(expected));
  }

  test("without colours text stays as it is", () => {
    expect(createStyle(false).bad("lost")).toBe("lost");
    expect(createStyle(true).bad("lost")).toBe("\u001b[31mlost\u001b[39m");
  });
});
