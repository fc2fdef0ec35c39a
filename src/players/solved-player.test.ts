import { expect, test } from "vitest";
import { game as kuhnPoker } from "../games/kuhn-poker/game.ts";
import { game as ticTacToe } from "../games/tic-tac-toe/game.ts";
import { game as wordClue } from "../games/word-clue/game.ts";
import { expectCode } from "../testing/index.ts";
import { solvedPlayer } from "./solved-player.ts";

test("where all is known it is perfect; where seats know different things, near an equilibrium", async () => {
  const exact = await solvedPlayer(ticTacToe, ticTacToe.defaultTask);
  expect([exact.player.reference.name, exact.nashConv]).toEqual(["perfect", null]);
  const mixed = await solvedPlayer(kuhnPoker, kuhnPoker.defaultTask, { targetNashConv: 1e-2 });
  expect(mixed.player.reference.name).toBe("equilibrium");
  expect(mixed.nashConv).toBeLessThan(1e-2);
});

test("a game that has no exact tree is refused", async () => {
  await expectCode(solvedPlayer(wordClue, wordClue.defaultTask), "not-solvable");
});
