/** The text parsing that the laws rest on: a law that reads nothing would hold for ever. */
import { expect, test } from "vitest";
import { anchorsOf, linksOf } from "./markdown.ts";
import { importsOf, listFiles, parseImports, withoutComments } from "./tree.ts";

test("imports of every form are found, with their lines", () => {
  const source = [
    'import { a } from "./a.ts";',
    "import {",
    "  type B,",
    '} from "../b/index.ts";',
    'export * from "./c.ts";',
    'import "./d.ts";',
    'const e = await import("./e.ts");',
    '// import { no } from "./comment.ts";',
    "export const from = 1;",
  ].join("\n");
  expect(parseImports(source)).toEqual([
    { line: 1, specifier: "./a.ts", isDynamic: false },
    { line: 4, specifier: "../b/index.ts", isDynamic: false },
    { line: 5, specifier: "./c.ts", isDynamic: false },
    { line: 6, specifier: "./d.ts", isDynamic: false },
    { line: 7, specifier: "./e.ts", isDynamic: true },
  ]);
});

test("comments go, strings that look like comments stay, lines keep their numbers", () => {
  const source = 'const url = "https://host"; // Math.random()\n/* Date.now()\n*/ const b = `//x`;';
  expect(withoutComments(source)).toMatch(/^const url = "https:\/\/host"; +\n +\n +const b = `\/\/x`;$/);
});

test("the files of the repository are seen, and their imports", () => {
  expect(listFiles()).toEqual(expect.arrayContaining(["package.json", "src/base/index.ts", ".ci/run"]));
  expect(importsOf("src/base/deadline.ts").map(({ specifier }) => specifier)).toEqual(["./errors.ts"]);
});

test("headings give the anchors that code hosts make", () => {
  const text =
    "# The `spar` command\n## What's new?\n```\n# not a heading\n```\n## What's new?\n## [A link](x.md), too\n";
  expect([...anchorsOf(text)]).toEqual(["the-spar-command", "whats-new", "whats-new-1", "a-link-too"]);
});

test("links into the repository are found, others and those in code are not", () => {
  const text = "[a](b.md#c) ![d](e.png) [web](https://x.org) `[no](code.md)`\n[top](#top)\n";
  expect(linksOf(text)).toEqual([
    { line: 1, target: "b.md#c" },
    { line: 1, target: "e.png" },
    { line: 2, target: "#top" },
  ]);
});
