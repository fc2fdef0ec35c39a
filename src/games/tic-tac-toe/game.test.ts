import { describeGame } from "../../testing/index.ts";
import { game } from "./game.ts";

describeGame(game, {
  transcript: new URL("transcript.txt", import.meta.url),
  tasks: [{ isExplained: true }, { isExplained: false }],
  illegalReplies: ["0", "10", "12", "none"],
});
