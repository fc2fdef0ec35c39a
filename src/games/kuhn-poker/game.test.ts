import { describeGame } from "../../testing/index.ts";
import { game } from "./game.ts";

describeGame(game, {
  transcript: new URL("transcript.txt", import.meta.url),
  tasks: [{ isExplained: true }, { isExplained: false }],
  illegalReplies: ["raise", "fold", "bp", "1"],
  secrets: ({ draws }) => [
    { hiddenFrom: "second", words: [String(draws["card of first"])] },
    { hiddenFrom: "first", words: [String(draws["card of second"])] },
  ],
});
