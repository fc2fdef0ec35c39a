/** The game that CONTRIBUTING.md walks through is a sound one: whoever types it off gets what the page says. */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { afterAll, beforeAll, expect, test } from "vitest";
import { messageOf } from "../../src/base/index.ts";
import { nextNode, solveMatch, type Match } from "../../src/games/index.ts";
import { gameTestTitles, runGameTest } from "../../src/testing/index.ts";
import { read, root } from "./tree.ts";

const [gameText = "", testText = "", , figuresText = ""] =
  read("CONTRIBUTING.md")
    .split("\n## A game\n")[1]
    ?.matchAll(/^```ts\n([^]*?)^```/gm)
    .map((block) => block[1] ?? "") ?? [];

let folder = "";
let game: Match<null>;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "spar-contributing-"));
  const file = join(folder, "game.ts");
  const games = pathToFileURL(join(root, "src", "games")).href;
  writeFileSync(file, gameText.replaceAll('from "../', `from "${games}/`));
  ({ game } = (await import(pathToFileURL(file).href)) as { readonly game: Match<null> });
});

afterAll(() => rmSync(folder, { recursive: true, force: true }));

const concerned = gameTestTitles.filter((title) => !/hidden information|secret/.test(title));

test.each(concerned)("%s", async (title) => {
  const options = {
    transcript: pathToFileURL(join(folder, "transcript.txt")),
    illegalReplies: ["0", "3", "one"],
  };
  const failure = await runGameTest(title, game, options).then(() => null, messageOf);
  // The first run records it.
  expect(failure).toEqual(title.includes("transcript") ? expect.stringContaining("recorded now") : null);
});

test("its test says what is true of it", async () => {
  const { returns, bestChoices } = await solveMatch(game, null);
  expect(returns).toEqual({ first: 1, second: -1 });
  expect(bestChoices("first", "at 2")).toEqual(["2"]);
  expect(testText).toContain("expect(returns).toEqual({ first: 1, second: -1 });");
  expect(testText).toContain('expect(bestChoices("first", "at 2")).toEqual(["2"]);');
  const node = await nextNode(game, null, ["2", "2", "2", "2", "1", "2"]);
  expect(node).toMatchObject({ kind: "end", outcome: { forfeitedBy: "second" } });
  expect(testText).toContain('nextNode(game, null, ["2", "2", "2", "2", "1", "2"])');
  expect(testText).toContain(
    'expect(node).toMatchObject({ kind: "end", outcome: { forfeitedBy: "second" } });',
  );
});

test("its exact figures are those of Leduc poker", async () => {
  const file = join(folder, "figures.ts");
  const sources = pathToFileURL(join(root, "src")).href;
  const imports = [
    `import { expect } from "vitest";`,
    `import { game } from "${sources}/games/leduc-poker/game.ts";`,
    `import { exploitabilityOf } from "${sources}/games/tree/best-response.ts";`,
    `import { growTree } from "${sources}/games/tree/grow-tree.ts";`,
    `import { minimizeRegret } from "${sources}/games/tree/minimize-regret.ts";`,
    `import { profileOf, uniformBehavior } from "${sources}/games/tree/profiles.ts";`,
    `import { expectClose, printedTo } from "${sources}/testing/index.ts";`,
  ];
  const end = "export const nashConvAtTheEnd = near.nashConv;";
  writeFileSync(file, [...imports, figuresText, end].join("\n"));
  const figures = (await import(pathToFileURL(file).href)) as { readonly nashConvAtTheEnd: number };
  expect(figures.nashConvAtTheEnd).toBeLessThanOrEqual(5e-3);
}, 60_000);
