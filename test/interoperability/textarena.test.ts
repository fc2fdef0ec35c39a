/** Environments of TextArena with our players: played, recorded, gone on with, and told again without Python. */
import { afterAll, describe, expect, test } from "vitest";
import { createRandom, SparError, systemClock } from "../../src/base/index.ts";
import { textArenaMatch, type Match, type MatchOutcome, type TextArenaTask } from "../../src/games/index.ts";
import { randomPlayer, scriptedPlayer, type Player, type PlayerRequest } from "../../src/players/index.ts";
import { playEpisodes, type PlayedEpisode, type Service } from "../../src/rollouts/index.ts";
import { EpisodeMemory } from "../../src/testing/games/episode-memory.ts";
import { describeGame, expectCode } from "../../src/testing/index.ts";
import { reasonToSkip, startGames } from "./python.ts";

const reason = await reasonToSkip("textarena");
const games = startGames();
afterAll(() => games.close());

const load = async (name: string): Promise<Match<TextArenaTask>> =>
  textArenaMatch(await games.describe("textarena", name));

interface PlayOptions {
  readonly match: Match<TextArenaTask>;
  readonly player: Player;
  readonly recorder: EpisodeMemory;
  readonly service: Service;
  readonly count?: number;
}

async function play(options: PlayOptions): Promise<PlayedEpisode<MatchOutcome>[]> {
  const { match, player, recorder, service, count = 1 } = options;
  return playEpisodes({
    step: {
      name: "test",
      random: createRandom(7),
      signal: new AbortController().signal,
      clock: systemClock,
      recorder,
      progress: () => ({ advance: () => undefined, end: () => undefined }),
    },
    game: match,
    tasks: Array.from({ length: count }, (_value, index) => ({
      id: `task ${index}`,
      task: match.defaultTask,
    })),
    seats: Object.fromEntries(match.seats.map((seat) => [seat, player])),
    services: { textarena: service },
    maximumFailedShare: 0,
  });
}

const withoutPython: Service = () =>
  Promise.reject(
    new SparError({ code: "python-missing", boundary: "service", message: "there is no Python" }),
  );

/** Halves what is left of 1 to 20. */
const bisecting = scriptedPlayer({
  name: "bisecting",
  reply: ({ history, segments }: PlayerRequest) => {
    const text = [...history, ...segments]
      .map((segment) => (segment.kind === "text" ? segment.text : ""))
      .join("\n");
    let [low, high] = [1, 20];
    for (const [, guess, hint] of text.matchAll(
      /\[(\d+)\]\n\[GAME\] The target number is (higher|lower)/gu,
    )) {
      if (hint === "higher") low = Math.max(low, Number(guess) + 1);
      else high = Math.min(high, Number(guess) - 1);
    }
    return `[${Math.floor((low + high) / 2)}]`;
  },
});

/** What an episode comes to, without how long it took. */
const essence = ({ end, turns, calls }: PlayedEpisode<MatchOutcome>): unknown => ({
  end,
  turns: turns.map(({ id, seat, sequence, text }) => ({ id, seat, sequence, text })),
  calls: calls.map(({ sequence, input, output }) => ({ sequence, input, output })),
});

const settings = [
  { name: "TicTacToe-v0", seatCount: 2, player: randomPlayer() },
  { name: "GuessTheNumber-v0", seatCount: 1, player: bisecting },
  { name: "GuessTheNumber-v0-raw", seatCount: 1, player: bisecting },
  { name: "ThreePlayerTicTacToe-v0-raw", seatCount: 3, player: randomPlayer() },
];

describe.skipIf(reason !== null)("TextArena", { timeout: 120_000 }, () => {
  test.each(settings)("$name is played by our players to its end", async ({ name, seatCount, player }) => {
    const match = await load(name);
    expect(match.seats).toHaveLength(seatCount);
    const service = games.services.textarena;
    const played = await play({ match, player, recorder: new EpisodeMemory(), service, count: 20 });
    for (const { outcome } of played) expect(outcome).toMatchObject({ forfeitedBy: null });
    const returns = played.map(({ outcome }) => outcome?.returns["player-0"]);
    if (player === bisecting)
      expect(returns, "bisection finds a number of 1 to 20 in time").toEqual(returns.map(() => 1));
    else expect(new Set(returns).size, "random players both win and lose").toBeGreaterThan(1);
  });

  test.each(settings)(
    "$name goes on where it was cut, in another process, and ends as if it never had been",
    async ({ name, player }) => {
      const match = await load(name);
      const whole = new EpisodeMemory();
      const [uncut] = await play({ match, player, recorder: whole, service: games.services.textarena });
      await using others = startGames();
      for (let count = 0; count < whole.recordCount; count += 3) {
        const recorder = whole.cutAfter(count);
        const [again] = await play({ match, player, recorder, service: others.services.textarena });
        expect(essence(again ?? fail()), `cut after ${count}`).toEqual(essence(uncut ?? fail()));
      }
      const told = await play({
        match,
        player,
        recorder: whole.cutAfter(whole.recordCount),
        service: withoutPython,
      });
      expect(told.map(essence), "told again from the record, without Python").toEqual([
        essence(uncut ?? fail()),
      ]);
    },
  );

  test("many at once keep apart, though the environments draw from one generator", async () => {
    const match = await load("GuessTheNumber-v0");
    const service = games.services.textarena;
    const together = await play({
      match,
      player: bisecting,
      recorder: new EpisodeMemory(),
      service,
      count: 30,
    });
    const numbers = new Set(together.map(({ turns }) => turns.at(-1)?.text));
    expect(numbers.size, "each has a number of its own").toBeGreaterThan(5);
    const again = await play({ match, player: bisecting, recorder: new EpisodeMemory(), service, count: 30 });
    expect(again.map(essence)).toEqual(together.map(essence));
  });

  test("the number of players can be chosen", async () => {
    const match = await load("LiarsDice-v0(players=4)");
    expect([match.id, match.seats.length]).toEqual(["textarena:LiarsDice-v0(players=4)", 4]);
    const refused = await expectCode(
      games.describe("textarena", "TicTacToe-v0(players=3)"),
      "game-unsupported",
    );
    expect(refused.message).toContain("TicTacToe-v0 of TextArena does not start with 3 players");
  });

  test.each([
    { name: "GuessTheNumbr-v0", code: "unknown-game", says: "did you mean GuessTheNumber-v0" },
    { name: "TicTacToe-v0(seed=1)", code: "unknown-game", says: "write it like" },
    { name: "Debate-v0", code: "game-unsupported", says: "OpenRouter API key not found" },
  ])("$name is refused with $code", async ({ name, code, says }) => {
    const { message, hint } = await expectCode(games.describe("textarena", name), code);
    expect(`${message} ${hint}`).toContain(says);
  });
});

function fail(): never {
  throw new Error("expected an episode");
}

if (reason === null)
  describeGame(await load("TicTacToe-v0"), {
    transcript: new URL("recorded/textarena-tic-tac-toe.txt", import.meta.url),
    services: games.services,
    illegalReplies: ["[9]", "none"],
    secrets: () => [{ hiddenFrom: "nobody", words: ["Current Board"] }],
  });
