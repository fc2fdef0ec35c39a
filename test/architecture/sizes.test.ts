/** How long a file may be. Small files are read whole, and several people can work without meeting in one. */
import { expect, test } from "vitest";
import { countLines, isTest, listFiles, read } from "./tree.ts";

const softLimitLines = 300;
const hardLimitLines = 500;
const recipeLimitLines = 250;
const fromScratchLimitLines = 300;

/** Files of 300 to 500 lines that have a reason. The list may shrink; a new entry needs a sentence that convinces. */
const reasonedFiles: Readonly<Record<string, string>> = {};

const files = [
  ...listFiles("src"),
  ...listFiles("tools"),
  ...listFiles("test"),
  ...listFiles("bench"),
  ...listFiles("examples"),
].filter((file) => file.endsWith(".ts") && !/\/(fixtures|generated)\//.test(file));

test("no file passes 300 lines without a reason, none passes 500", () => {
  const broken = files
    .map((file) => ({ file, lines: countLines(read(file)) }))
    .filter(
      ({ file, lines }) => lines > (file in reasonedFiles || isTest(file) ? hardLimitLines : softLimitLines),
    )
    .map(
      ({ file, lines }) =>
        `${file} has ${lines} lines: split it by concept, so that each part has one reason to change`,
    );
  expect(broken, broken.join("\n")).toEqual([]);
});

test("a reason for a long file goes when the file is short again", () => {
  const stale = Object.keys(reasonedFiles).filter(
    (file) => !files.includes(file) || countLines(read(file)) <= softLimitLines,
  );
  expect(stale).toEqual([]);
});

test("recipes stay readable in one sitting", () => {
  const broken = listFiles("recipes")
    .filter((file) => file.endsWith(".ts") && !isTest(file))
    .map((file) => ({
      file,
      lines: countLines(read(file)),
      limit: file.startsWith("recipes/from-scratch/") ? fromScratchLimitLines : recipeLimitLines,
    }))
    .filter(({ lines, limit }) => lines > limit)
    .map(
      ({ file, lines, limit }) =>
        `${file} has ${lines} lines, ${limit} are allowed: a method is followed with the paper in one hand`,
    );
  expect(broken, broken.join("\n")).toEqual([]);
});

test("every source file opens by saying what it is for", () => {
  const broken = listFiles("src")
    .filter((file) => file.endsWith(".ts") && !isTest(file) && !file.includes("/generated/"))
    .filter(
      (file) =>
        !read(file)
          .replace(/^#!.*\n/, "")
          .startsWith("/**"),
    );
  expect(
    broken,
    "start with a comment: what it is for, who uses it, what it deliberately does not know",
  ).toEqual([]);
});
