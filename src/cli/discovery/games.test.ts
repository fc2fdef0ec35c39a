import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { expectCode } from "../../testing/index.ts";
import { findGame, listGames, type GameRequest } from "./games.ts";
import { findPackageFolder, type PackageFolder } from "./package-folder.ts";

let folder = "";
const ours = findPackageFolder(import.meta.url);

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "spar-games-"));
  const game = `({ id: "own", title: "Own", rules: "none", seats: ["a"], facts: {}, defaultTask: null, limits: {}, play: async () => null })`;
  writeFileSync(join(folder, "own.ts"), `export const game = ${game};\n`);
  writeFileSync(join(folder, "half.ts"), 'export const game = { id: "half", seats: [] };\n');
  writeFileSync(join(folder, "none.ts"), "export const other = 1;\n");
  for (const [id, text] of [
    ["good", `export const game = ${game};`],
    ["bad", "throw new Error('broken rules');"],
  ]) {
    mkdirSync(join(folder, "src", "games", id ?? ""), { recursive: true });
    writeFileSync(join(folder, "src", "games", id ?? "", "game.ts"), `${text}\n`);
  }
  mkdirSync(join(folder, "src", "games", "tree"));
});

afterAll(() => rmSync(folder, { recursive: true, force: true }));

const request = (typed: string, place: PackageFolder = ours): GameRequest => ({
  typed,
  place,
  workingFolder: folder,
});

test("games of the package are found by folder, under the id that they have", async () => {
  const listed = await listGames(ours);
  expect(listed.map(({ id }) => id)).toEqual(expect.arrayContaining(["kuhn-poker", "tic-tac-toe"]));
  for (const one of listed) expect(one).toMatchObject({ kind: "loaded", game: { id: one.id } });
  expect((await findGame(request("kuhn-poker"))).game.title).toBe("Kuhn poker");
});

test("a game of one's own is found by path", async () => {
  expect(await findGame(request("./own.ts"))).toMatchObject({
    game: { id: "own" },
    ownFile: join(folder, "own.ts"),
  });
});

test("a game that cannot be loaded does not hide the others", async () => {
  const listed = await listGames({ root: folder, modules: folder, extension: ".ts" });
  expect(listed).toMatchObject([
    { kind: "broken", id: "bad", problem: expect.stringContaining("broken rules") },
    { kind: "loaded", id: "good" },
  ]);
});

test("what is no game is refused with what it lacks", async () => {
  const unknown = await expectCode(findGame(request("tic-tac-to")), "unknown-game");
  expect(unknown.hint).toContain("tic-tac-toe");
  await expectCode(findGame(request("./absent.ts")), "file-missing");
  await expectCode(findGame(request("./none.ts")), "not-a-game");
  const half = await expectCode(findGame(request("./half.ts")), "not-a-game");
  expect(half.message).toContain("title, rules, facts, defaultTask, limits, play");
});
