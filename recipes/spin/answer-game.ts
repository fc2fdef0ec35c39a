/** The game of SPIN: one seat answers one prompt. The opponent is whoever sits there; nothing is judged. */
import { defineGame, type Game } from "spar/games";

export type AnswerTask = {
  readonly prompt: string;
};

/** The answer as text, or null where the context left no room for one. */
export type AnswerOutcome = string | null;

export const answerSeat = "author";

export const answerGame: Game<AnswerTask, AnswerOutcome> = defineGame({
  id: "answer",
  seats: [answerSeat],
  limits: { turns: 1, calls: 0, tokens: 1_000_000, timeMs: 3_600_000 },
  play: async (table, task) => {
    const reply = await table.ask(answerSeat, {
      prompt: [{ kind: "text", role: "user", text: task.prompt }],
      parse: (text) => text,
    });
    return reply.kind === "turn" ? reply.turn.parsed : null;
  },
});
