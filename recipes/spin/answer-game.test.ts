import { describeGame } from "spar/testing";
import { answerGame } from "./answer-game.ts";

describeGame(answerGame, {
  transcript: new URL("fixtures/answer-game.txt", import.meta.url),
  tasks: [{ prompt: "12+7=" }, { prompt: "" }],
  reply: (_request, random) => String(random.integer(100)),
});
