import { describe, expect, test } from "vitest";
import { createStyle } from "../terminal/style.ts";
import { answerLines } from "./show-answers.ts";

const style = createStyle(false);
const before = { label: "version 1", answers: ["12", "3"] };
const after = { label: "version 9", answers: ["19", "19"] };

describe("answers", () => {
  test("two versions stand beside each other", () => {
    const lines = answerLines({ prompt: "12+7=", versions: [before, after], style, maximumWidth: 40 });
    expect(lines).toEqual([
      "> 12+7=",
      "oldest: version 1  │ newest: version 9",
      "12                 │ 19",
      "3                  │ 19",
    ]);
  });

  test("long answers are paired, whatever their number of lines", () => {
    const lines = answerLines({
      prompt: "p",
      versions: [
        { label: "a", answers: ["one\ntwo", "x"] },
        { label: "b", answers: ["uno", "y"] },
      ],
      style,
      maximumWidth: 27,
    });
    expect(lines).toEqual([
      "> p",
      "oldest: a    │ newest: b",
      "one          │ uno",
      "two          │",
      "",
      "x            │ y",
      "",
    ]);
  });

  test("a single version is shown alone", () => {
    expect(answerLines({ prompt: "p", versions: [after], style, maximumWidth: 40 })).toEqual([
      "> p",
      "version 9",
      "19",
      "19",
    ]);
  });
});
