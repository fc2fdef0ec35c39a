/** The recorded transcript of a game: what a change of the rules changes can be read in its difference. */
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { isDeepStrictEqual } from "node:util";
import { expect } from "vitest";
import type { JsonValue } from "../../base/index.ts";
import { scriptedPlayer, type Player } from "../../players/index.ts";
import type { GameTest } from "./game-test.ts";
import type { GameUnderTest } from "./game-under-test.ts";
import { readScript, type Script } from "./transcript.ts";

/** Random plays of each task that are recorded. */
const seeds = [1, 2];

export const transcriptTests: readonly GameTest[] = [
  {
    title: "the recorded transcript is what is played, line by line",
    run: async (game) => {
      const file = fileURLToPath(game.options.transcript);
      if (!existsSync(file)) {
        writeFileSync(file, (await record(game)).join("\n"));
        expect.fail(
          `${file} was missing and has been recorded now: read it, keep it, and run the test again`,
        );
      }
      const recorded = readFileSync(file, "utf8").split("\n");
      expect(
        await playAgain(game, recorded),
        `the game plays otherwise than ${file} says; where that is meant, delete the file, run the test to record it anew, and review the difference`,
      ).toEqual(recorded);
    },
  },
];

const heading = (title: string): string => `# ${title}: recorded plays`;
const playHeading = (index: number): string => `## play ${index + 1}`;

async function record<Task extends JsonValue>(game: GameUnderTest<Task>): Promise<string[]> {
  const plays: string[][] = [];
  for (const task of game.tasks)
    for (const seed of seeds) plays.push(game.transcript(await game.play({ task, seed })));
  return fileLines(game.title, plays);
}

/** Plays what the file says was drawn and replied, whatever chance and players do nowadays. */
async function playAgain<Task extends JsonValue>(
  game: GameUnderTest<Task>,
  recorded: readonly string[],
): Promise<string[]> {
  const starts = recorded.flatMap((line, index) => (line.startsWith("## ") ? [index] : []));
  const plays: string[][] = [];
  for (const [index, start] of starts.entries()) {
    const { task, draws, replies } = readScript(recorded.slice(start, starts[index + 1]));
    const known = game.tasks.find((one) => isDeepStrictEqual(one, task));
    if (known === undefined)
      expect.fail(`the transcript plays a task that the test does not: ${JSON.stringify(task)}`);
    const player = scriptPlayer(replies);
    plays.push(game.transcript(await game.play({ task: known, seed: 1, draws, player })));
  }
  const played = game.tasks.filter((task) => recorded.includes(`task ${JSON.stringify(task)}`));
  expect(played, "every task of the test is in the transcript").toEqual(game.tasks);
  return fileLines(game.title, plays);
}

function fileLines(title: string, plays: readonly string[][]): string[] {
  return [heading(title), ...plays.flatMap((lines, index) => ["", playHeading(index), ...lines]), ""];
}

/** Fills every seat with what it said then. */
function scriptPlayer(replies: Script["replies"]): Player {
  const left = Map.groupBy(replies, ({ seat }) => seat);
  return scriptedPlayer({
    name: "transcript",
    reply: ({ seat }) => {
      const next = left.get(seat)?.shift();
      if (next === undefined) throw new Error(`the transcript has no further reply of ${seat}`);
      return next.text;
    },
  });
}
