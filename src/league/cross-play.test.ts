import { beforeAll, describe, expect, test } from "vitest";
import { createRandom, parseJson } from "../base/index.ts";
import { defineMatch, forfeit, solveMatch, type Match, type Solution } from "../games/index.ts";
import { game as ticTacToe } from "../games/tic-tac-toe/game.ts";
import { perfectPlayer, randomPlayer, scriptedPlayer, type Player } from "../players/index.ts";
import { expectCode } from "../testing/index.ts";
import { MemoryRecorder, rolloutStep } from "../../test/fixtures/durability/memory-recorder.ts";
import { playCrossPlay, type Contestant, type CrossPlay } from "./cross-play.ts";
import { matchResultsOf } from "./match-result.ts";
import { rankPlayers, rateMatches, unrated } from "./ratings.ts";
import { crossPlayTable, reportTable } from "./tables.ts";

const says = (name: string, text: string): Contestant => ({
  name,
  player: scriptedPlayer({ name, reply: () => text }),
});

const readNumber = (text: string): number | null => (/^\d+$/u.test(text) ? Number(text) : null);

/** The higher number wins; what is no number forfeits. */
const numbers: Match<null> = defineMatch({
  id: "numbers",
  title: "Numbers",
  rules: "the higher number wins",
  seats: ["low", "high"],
  facts: { information: "hidden", hasChance: false, isZeroSum: true, smallestReturn: -1, largestReturn: 1 },
  defaultTask: null,
  limits: { turns: 2, calls: 0, tokens: 100, timeMs: 10_000 },
  play: async (table) => {
    const bids = new Map<string, number>();
    for (const seat of ["low", "high"]) {
      const prompt = [{ kind: "text", role: "user", text: "a number" }] as const;
      const reply = await table.ask(seat, { prompt, parse: readNumber });
      const bid = reply.kind === "turn" ? reply.turn.parsed : null;
      if (bid === null) return forfeit(numbers, seat, "no number");
      bids.set(seat, bid);
    }
    const difference = Math.sign((bids.get("low") ?? 0) - (bids.get("high") ?? 0));
    return { returns: { low: difference, high: 0 - difference }, forfeitedBy: null, how: "compared" };
  },
});

const failing: Contestant = {
  name: "failing",
  player: scriptedPlayer({
    name: "failing",
    reply: () => {
      throw new Error("out of order");
    },
  }),
};

const cross = (
  contestants: readonly Contestant[],
  more: { includesMirror?: boolean } = {},
): Promise<CrossPlay> =>
  playCrossPlay({
    step: rolloutStep(new MemoryRecorder()),
    match: numbers,
    contestants,
    matchesPerCell: 3,
    ...more,
  });

describe("cross-play", () => {
  test("counts wins, draws, losses, forfeits and failures of each player in each seat", async () => {
    const { cells, results, players } = await cross([
      says("one", "1"),
      says("two", "2"),
      says("mute", "x"),
      failing,
    ]);
    expect(players).toEqual(["one", "two", "mute", "failing"]);
    expect(cells).toHaveLength(4 * 3 * 2);
    const cell = (player: string, seat: string, opponent: string): unknown =>
      cells.find((one) => one.player === player && one.seat === seat && one.opponent === opponent);
    const none = {
      matchCount: 3,
      wins: 0,
      draws: 0,
      losses: 0,
      forfeits: 0,
      opponentForfeits: 0,
      failures: 0,
    };
    expect(cell("one", "low", "two")).toMatchObject({ ...none, losses: 3, meanReturn: -1 });
    expect(cell("two", "high", "one")).toMatchObject({ ...none, wins: 3, meanReturn: 1 });
    expect(cell("mute", "low", "one")).toMatchObject({ ...none, losses: 3, forfeits: 3, meanReturn: -1 });
    expect(cell("one", "high", "mute")).toMatchObject({
      ...none,
      wins: 3,
      opponentForfeits: 3,
      meanReturn: 0,
    });
    expect(cell("failing", "high", "one")).toMatchObject({ ...none, failures: 3, meanReturn: null });
    // All but those with the failing player, save where the mute one forfeits before it is asked.
    expect(results).toHaveLength(3 * 2 * 2 * 3 + 2 * 3);
  });

  test("is JSON, the same each time, and includes oneself where that is asked for", async () => {
    const contestants = [says("one", "1"), says("two", "2")];
    const first = await cross(contestants, { includesMirror: true });
    expect(parseJson(JSON.stringify(first))).toEqual(first);
    expect(await cross(contestants, { includesMirror: true })).toEqual(first);
    expect(first.cells.find(({ player, opponent }) => player === opponent)).toMatchObject({ draws: 3 });
  });

  test("refuses players of one name, a single player, and a match of one seat", async () => {
    await expectCode(cross([says("one", "1")]), "contestants-missing");
    await expectCode(cross([says("one", "1"), says("one", "2")]), "contestants-missing");
    const alone = playCrossPlay({
      step: rolloutStep(new MemoryRecorder()),
      match: { ...numbers, seats: ["low"] },
      contestants: [says("one", "1"), says("two", "2")],
      matchesPerCell: 1,
    });
    await expectCode(alone, "seats-missing");
  });

  test("becomes a table with a row per player and seat", async () => {
    const table = crossPlayTable(await cross([says("one", "1"), says("mute", "x"), failing]));
    const rows: (readonly (string | number | null)[])[] = [];
    reportTable({ table: () => ({ row: (...cells) => void rows.push(cells) }) }, table);
    expect(table.columns.map(({ name }) => name)).toEqual([
      "player",
      "seat",
      "one",
      "mute",
      "failing",
      "mean return",
      "forfeits",
      "failures",
    ]);
    expect(rows[0]).toEqual(["one", "low", null, "3/0/0", "0/0/0", 0, 0, 0.5]);
    expect(rows[2]).toEqual(["mute", "low", "0/0/3", null, "0/0/3", -1, 1, 0]);
    expect(rows[4]).toEqual(["failing", "low", "0/0/0", "0/0/0", null, null, null, 1]);
  });

  test("results of recorded episodes name versions by their number", () => {
    const reference = {
      kind: "frozen",
      name: "policy",
      version: { modelId: "m", number: 3, address: "", digest: null },
    } as const;
    const start = { seats: { X: reference, O: { kind: "scripted", name: "random", version: null } } };
    const outcome = { returns: { X: 1, O: -1 }, forfeitedBy: null, how: "" };
    expect(
      matchResultsOf([
        { start, outcome },
        { start, outcome: null },
      ] as never),
    ).toEqual([{ players: { X: "policy@3", O: "random" }, returns: outcome.returns, forfeitedBy: null }]);
  });
});

describe("ratings of tic-tac-toe", () => {
  let solution: Solution;

  beforeAll(async () => {
    solution = await solveMatch(ticTacToe, { isExplained: false });
  });

  const perfect = (errorRate: number): Player => perfectPlayer({ optimal: solution.bestChoices, errorRate });

  test("recover the known order of skill on every seed", { timeout: 60_000 }, async () => {
    const contestants: Contestant[] = [
      { name: "perfect", player: perfect(0) },
      { name: "errs in 0.1", player: perfect(0.1) },
      { name: "errs in 0.3", player: perfect(0.3) },
      { name: "random", player: randomPlayer() },
      says("always 1", "1"),
    ];
    for (const seed of [11, 12, 13]) {
      const { results } = await playCrossPlay({
        step: { ...rolloutStep(new MemoryRecorder()), random: createRandom(seed) },
        match: ticTacToe,
        task: { isExplained: false },
        contestants: createRandom(seed).shuffle(contestants),
        matchesPerCell: 50,
      });
      const ranked = rankPlayers(rateMatches({}, results));
      expect(ranked.map(({ name }) => name)).toEqual(contestants.map(({ name }) => name));
      for (const { deviation } of ranked) expect(deviation).toBeLessThan(unrated.deviation / 3);
    }
  });
});
