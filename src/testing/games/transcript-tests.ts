/** The recorded transcript of a game: what a change of the rules changes can be read in its difference. */
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { expect } from "vitest";
import type { JsonValue } from "../../base/index.ts";
import type { GameTest } from "./game-test.ts";
import type { GameUnderTest } from "./game-under-test.ts";

/** Plays of each task that are recorded. */
const seeds = [1, 2];

export const transcriptTests: readonly GameTest[] = [
  {
    title: "the recorded transcript is what is played, line by line",
    run: async (game) => {
      const file = fileURLToPath(game.options.transcript);
      const lines = await recordableLines(game);
      if (!existsSync(file)) {
        writeFileSync(file, lines.join("\n"));
        expect.fail(
          `${file} was missing and has been recorded now: read it, keep it, and run the test again`,
        );
      }
      expect(
        lines,
        `the game plays otherwise than ${file} says; where that is meant, delete the file, run the test to record it anew, and review the difference`,
      ).toEqual(readFileSync(file, "utf8").split("\n"));
    },
  },
];

async function recordableLines<Task extends JsonValue>(game: GameUnderTest<Task>): Promise<string[]> {
  const lines = [`# ${game.match.title}: recorded plays`];
  for (const task of game.tasks)
    for (const seed of seeds)
      lines.push("", `## seed ${seed}`, ...game.transcript(await game.play({ task, seed })));
  return [...lines, ""];
}
