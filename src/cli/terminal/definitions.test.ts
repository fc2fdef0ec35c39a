import { expect, test } from "vitest";
import { definitionLines } from "./definitions.ts";

test("texts are wrapped below themselves", () => {
  expect(
    definitionLines(
      [
        ["data", "where the prompts come from"],
        ["x", "1"],
      ],
      26,
    ),
  ).toEqual(["data  where the prompts", "      come from", "x     1"]);
});

test("where there is no room, or no width, each takes one line", () => {
  const rows = [["a long name of something", "text that would be wrapped to pieces"]] as const;
  expect(definitionLines(rows, 30)).toHaveLength(1);
  expect(definitionLines(rows, Number.POSITIVE_INFINITY)).toHaveLength(1);
});
