/** Every game is tested by the suite of games and carries a recorded transcript. */
import { expect, test } from "vitest";
import { listFiles, listFolders, read } from "./tree.ts";

const games = listFolders("src/games").filter((folder) =>
  listFiles(`src/games/${folder}`).includes(`src/games/${folder}/game.ts`),
);

test("games are found", () => {
  expect(games).toEqual(expect.arrayContaining(["kuhn-poker", "tic-tac-toe"]));
});

test.each(games)(
  "the game %s bears the name of its folder, is tested with describeGame, and has a transcript",
  (id) => {
    const folder = `src/games/${id}`;
    const files = listFiles(folder);
    expect(read(`${folder}/game.ts`), "its id is the name of its folder").toContain(`id: "${id}"`);
    expect(files, "a game without game.test.ts may never end or tell secrets").toContain(
      `${folder}/game.test.ts`,
    );
    expect(read(`${folder}/game.test.ts`), "its test calls describeGame of src/testing").toMatch(
      /\bdescribeGame\(/,
    );
    expect(files, "the first run of its test records transcript.txt: read it and commit it").toContain(
      `${folder}/transcript.txt`,
    );
  },
);
