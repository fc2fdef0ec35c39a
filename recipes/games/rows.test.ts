/** What a move is worth: worked numbers for every baseline, and which tokens are trained. */
import type { MatchOutcome } from "spar/games";
import type { Turn } from "spar/records";
import type { PlayedEpisode } from "spar/rollouts";
import { expect, test } from "vitest";
import type { GamesOptions } from "./options.ts";
import { rowsOf, type RoleBaselines } from "./rows.ts";

/** X and O move in turn, each in a context of its own; every move is one sampled token. */
function game(id: string, moves: readonly number[], returns: Readonly<Record<string, number>>): Played {
  const turns = moves.map((move, ply): Turn => {
    const seat = ply % 2 === 0 ? "X" : "O";
    return {
      id: `${id}:${ply}`,
      episodeId: id,
      seat,
      sequence: ply,
      siblingIndex: 0,
      contextParent: ply < 2 ? null : `${id}:${ply - 2}`,
      player: { kind: "live", name: "policy", version: null },
      spans: [
        { kind: "rendered", tokenIds: [9] },
        { kind: "sampled", tokenIds: [move] },
      ],
      logprobs: Float32Array.of(-1),
      sampling: null,
      finishReason: "length",
      text: String(move),
      parsed: null,
      durationMs: 0,
    };
  });
  const outcome: MatchOutcome = { returns, forfeitedBy: null, how: "test" };
  const start = { id } as PlayedEpisode["start"];
  const episode = { start, end: { kind: "finished" as const, outcome }, outcome, turns, calls: [] };
  return { episode, learners: ["X", "O"] };
}

type Played = { readonly episode: PlayedEpisode<MatchOutcome>; readonly learners: readonly string[] };

const games: readonly Played[] = [
  game("a", [1, 2, 3], { X: 1, O: -1 }),
  game("b", [4, 5, 6], { X: -1, O: 1 }),
  game("c", [7, 8], { X: 1, O: -1 }),
];

/** Advantages of the sampled tokens, row by row. */
function advantagesOf(
  baseline: GamesOptions["baseline"],
  baselines: RoleBaselines = {},
  played: readonly Played[] = games,
): Record<string, number[][]> {
  const { seats } = rowsOf(played, { baseline, baselineDecay: 0.5, baselines });
  return Object.fromEntries(
    seats.map(({ seat, rows }) => [
      seat,
      rows.map(({ advantages, weights }) =>
        [...(advantages ?? [])].filter((_advantage, position) => weights[position] !== 0),
      ),
    ]),
  );
}

test("a seat's moves are one row, its own replies trained, what it was told is not", () => {
  const { seats } = rowsOf(games, { baseline: "none", baselineDecay: 0, baselines: {} });
  const [first] = seats.find(({ seat }) => seat === "X")?.rows ?? [];
  expect([...(first?.targets ?? [])]).toEqual([1, 9, 3]);
  expect([...(first?.weights ?? [])]).toEqual([1, 0, 1]);
});

test("an opening by somebody without ids is not learned, and the moves after it keep their place", () => {
  const [first] = games;
  if (first === undefined) throw new Error("expected a game");
  const [opening, reply, second] = first.episode.turns;
  if (opening === undefined || reply === undefined || second === undefined) throw new Error("expected turns");
  const noIds = { ...opening, spans: [], logprobs: new Float32Array() };
  const opened = (turns: readonly Turn[]): Played => ({ ...first, episode: { ...first.episode, turns } });
  const played = [opened([noIds, reply, { ...second, contextParent: null }]), ...games.slice(1)];
  // The first moves of X are those of the other two games alone: their mean return is 0.
  expect(advantagesOf("turn", {}, played)["X"]).toEqual([[1], [-1, -1], [1]]);
  expect(advantagesOf("none", {}, [opened([noIds])])).toEqual({});
});

test("without a baseline every move has its seat's return", () => {
  expect(advantagesOf("none")).toEqual({ X: [[1, 1], [-1, -1], [1]], O: [[-1], [1], [-1]] });
});

test("per seat and turn, a move is compared with moves made at the same place", () => {
  const { X = [], O = [] } = advantagesOf("turn");
  // First moves of X return 1, -1, 1: their mean is 1/3. Second moves return 1 and -1.
  expect(X.map(([one]) => one)).toEqual([2 / 3, -4 / 3, 2 / 3].map(Math.fround));
  expect(X.slice(0, 2).map(([, two]) => two)).toEqual([1, -1]);
  expect(O.flat()).toEqual([-2 / 3, 4 / 3, -2 / 3].map(Math.fround));
});

test("after the same history, moves are compared with each other, and few of them lean on their turn", () => {
  // X was told the same before its first move in all games: 3 returns with mean 1/3, and 4 times the
  // mean of the turn, which is 1/3 too. So first moves are as with `turn`.
  const { X = [], O = [] } = advantagesOf("history");
  expect(X.map(([one]) => one)).toEqual([2 / 3, -4 / 3, 2 / 3].map(Math.fround));
  // O was told the same token everywhere: likewise. Second moves of X differ in what X had said.
  expect(O.flat()).toEqual([-2 / 3, 4 / 3, -2 / 3].map(Math.fround));
  const [first, second] = X;
  // Its own return once and four times the mean of the turn, 0: b = 1/5.
  expect(first?.[1]).toBeCloseTo(1 - 1 / 5, 6);
  expect(second?.[1]).toBeCloseTo(-1 + 1 / 5, 6);
});

test("over the batch, seats share one mean", () => {
  // Moves return 1 1 -1 -1 1 for X and -1 1 -1 for O: the mean of the eight is 0.
  expect(advantagesOf("batch")).toEqual(advantagesOf("none"));
  const onlyWins = [game("d", [1, 2, 3], { X: 1, O: 0 })];
  expect(advantagesOf("batch", {}, onlyWins)["X"]).toEqual([[1 / 3, 1 / 3].map(Math.fround)]);
});

test("the moving average of a seat enters after it was subtracted", () => {
  const before: RoleBaselines = { X: { mean: 0.5 }, O: { mean: -0.5 } };
  expect(advantagesOf("role", before)).toEqual({
    X: [[0.5, 0.5], [-1.5, -1.5], [0.5]],
    O: [[-0.5], [1.5], [-0.5]],
  });
  const { baselines } = rowsOf(games, { baseline: "role", baselineDecay: 0.5, baselines: before });
  // Mean return of X over its five moves is 1/5, of O over its three moves -1/3.
  expect(baselines["X"]?.mean).toBeCloseTo(0.5 * 0.5 + 0.5 * 0.2, 12);
  expect(baselines["O"]?.mean).toBeCloseTo(0.5 * -0.5 + 0.5 * (-1 / 3), 12);
});

test("seats that nobody learns and games that failed make no rows", () => {
  const [first] = games;
  if (first === undefined) throw new Error("expected a game");
  const half = { ...first, learners: ["O"] };
  const failed = { ...first, episode: { ...first.episode, outcome: null } };
  expect(Object.keys(advantagesOf("none", {}, [half, failed]))).toEqual(["O"]);
});
