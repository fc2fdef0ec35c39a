/** Environments of TextArena without Python: states made up as the bridge gives them. */
import { expect, test } from "vitest";
import { z } from "zod";
import { createRandom, systemClock, type JsonValue } from "../../src/base/index.ts";
import { scriptedPlayer, type PlayerRequest } from "../../src/players/index.ts";
import { playEpisodes, unrecordedStep, type PlayedEpisode } from "../../src/rollouts/index.ts";
import { listedMoves } from "../../src/games/foreign/textarena-match.ts";
import { textArenaMatch, type MatchOutcome, type TextArenaTask } from "../../src/games/index.ts";

const inputSchema = z.object({ seed: z.number(), players: z.number(), replies: z.array(z.string()) });
type Input = z.output<typeof inputSchema>;

/** Plays one episode of two seats with the states of a function. */
async function play(
  stateOf: (input: Input) => JsonValue,
  options: {
    readonly reply?: (request: PlayerRequest) => string;
    readonly task?: TextArenaTask;
    readonly turns?: number;
  } = {},
): Promise<PlayedEpisode<MatchOutcome>> {
  const { reply = (): string => "[go]", task = { seed: null }, turns } = options;
  const match = textArenaMatch({ name: "Race-v0", game: "Race-v0", players: 2 });
  const player = scriptedPlayer({ name: "script", reply });
  const [episode] = await playEpisodes({
    step: unrecordedStep({
      random: createRandom(1),
      signal: new AbortController().signal,
      clock: systemClock,
    }),
    game: match,
    tasks: [{ id: "task", task }],
    seats: { "player-0": player, "player-1": player },
    services: { textarena: (input) => Promise.resolve(stateOf(inputSchema.parse(input))) },
    maximumFailedShare: 1,
    ...(turns === undefined ? {} : { limits: { turns } }),
  });
  if (episode === undefined) throw new Error("expected an episode");
  return episode;
}

const ended = (more: object = {}): JsonValue => ({
  kind: "end",
  returns: [1, -1],
  reason: "Player 0 has won!",
  invalidBy: null,
  ...more,
});

test("what an environment shows is the prompt, in a fresh context each time; replies go back as they are", async () => {
  const prompts: string[] = [];
  const { outcome, calls } = await play(
    ({ replies }) =>
      replies.length === 3
        ? ended()
        : { kind: "ask", player: replies.length % 2, text: `move ${replies.length}` },
    {
      reply: ({ segments, history, choices }) => {
        expect([history, choices]).toEqual([[], null]);
        prompts.push(...segments.map((segment) => (segment.kind === "text" ? segment.text : "")));
        return `my ${prompts.length}`;
      },
    },
  );
  expect(prompts).toEqual(["move 0", "move 1", "move 2"]);
  expect(outcome).toEqual({
    returns: { "player-0": 1, "player-1": -1 },
    forfeitedBy: null,
    how: "Player 0 has won!",
  });
  const last = inputSchema.parse(calls.at(-1)?.input);
  expect(last.replies).toEqual(["my 1", "my 2", "my 3"]);
  expect(new Set(calls.map(({ input }) => inputSchema.parse(input).seed)).size, "one seed for a play").toBe(
    1,
  );
});

test("a raw environment goes on in the conversation of the seat, without its own words again", async () => {
  const messages = (replies: readonly string[]): JsonValue[] =>
    replies.length < 2
      ? [{ from: -1, text: `Welcome, ${replies.length}`, kind: "PROMPT" }]
      : [
          { from: 0, text: replies[0] ?? "", kind: "PLAYER_ACTION" },
          { from: 1, text: replies[1] ?? "", kind: "PLAYER_ACTION" },
          { from: -1, text: "Next.", kind: "GAME_MESSAGE" },
        ];
  const said: string[][] = [];
  await play(
    ({ replies }) =>
      replies.length === 3
        ? ended()
        : { kind: "ask", player: replies.length % 2, messages: messages(replies) },
    {
      reply: ({ history, segments }) => {
        said.push([...history, ...segments].map((one) => (one.kind === "text" ? one.text : "")));
        return `[${said.length}]`;
      },
    },
  );
  expect(said[2]).toEqual(["[GAME] Welcome, 0", "[1]", "[Player 1] [2]\n[GAME] Next."]);
});

test("the seed of a task is the seed of the environment", async () => {
  const { calls } = await play(() => ended(), { task: { seed: 42 } });
  expect(calls.map(({ input }) => inputSchema.parse(input).seed)).toEqual([42]);
});

test.each([
  { what: "that costs everything is a forfeit", returns: [1, -1], forfeitedBy: "player-1" },
  { what: "that is paid for what was reached is none", returns: [0, 0.5], forfeitedBy: null },
])("an invalid move $what", async ({ returns, forfeitedBy }) => {
  const { outcome } = await play(() => ended({ returns, reason: "Invalid move", invalidBy: 1 }));
  expect(outcome?.forfeitedBy).toBe(forfeitedBy);
});

test("points beyond -1 and 1 fail the episode: nobody could compare them", async () => {
  const { end } = await play(() => ended({ returns: [7, 0] }));
  expect(end).toMatchObject({ failure: { code: "returns-outside-facts", boundary: "service" } });
});

test("a seat whose turns are used up forfeits", async () => {
  const { outcome } = await play(({ replies }) => ({ kind: "ask", player: replies.length % 2, text: "?" }), {
    turns: 3,
  });
  expect(outcome).toMatchObject({ forfeitedBy: "player-1", returns: { "player-0": 0, "player-1": -1 } });
});

test.each([
  { text: "Board\n\nAvailable Moves: '[0]', '[4]'", moves: ["[0]", "[4]"] },
  { text: "Available Moves: [A1 B2], [up]\nmore\nAvailable Actions: [down]", moves: ["[down]"] },
  { text: "Available Moves: [0], [0]", moves: ["[0]"] },
  { text: "Available Moves: anything in brackets like [4]", moves: null },
  { text: "Available Moves: ", moves: null },
  { text: "Your move.", moves: null },
])("the moves that are listed in $text", ({ text, moves }) => {
  expect(listedMoves(text)).toEqual(moves);
});
