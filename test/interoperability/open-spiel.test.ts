/** Games of OpenSpiel beside ours: tic-tac-toe on every reachable board, Kuhn poker to the last digit. */
import { spawnSync } from "node:child_process";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { afterAll, describe, expect, test } from "vitest";
import { z } from "zod";
import { present, type JsonValue } from "../../src/base/index.ts";
import {
  exploitabilityOf,
  findEquilibrium,
  growTree,
  nextNode,
  openSpielMatch,
  profileOf,
  solveMatch,
  type Match,
  type MatchTree,
  type Profile,
} from "../../src/games/index.ts";
import { game as kuhnPoker } from "../../src/games/kuhn-poker/game.ts";
import { game as ticTacToe } from "../../src/games/tic-tac-toe/game.ts";
import {
  describeGame,
  expectClose,
  expectCode,
  expectDifferent,
  tolerances,
} from "../../src/testing/index.ts";
import { python, reasonToSkip, startGames } from "./python.ts";

const reason = await reasonToSkip("open-spiel");
const games = startGames();
afterAll(() => games.close());
const { services } = games;

const load = async (name: string): Promise<Match<null>> =>
  openSpielMatch(await games.describe("open-spiel", name));

describe.skipIf(reason !== null)("OpenSpiel", { timeout: 120_000 }, () => {
  test("tic-tac-toe: the same legal moves, ends and returns on every board that play can reach", async () => {
    const theirs = await load("tic_tac_toe");
    const boards = new Map<string, { readonly ply: number }>();
    let endCount = 0;
    const compare = async (cells: readonly number[]): Promise<void> => {
      const ours = await nextNode(
        ticTacToe,
        { isExplained: true },
        cells.map((cell) => String(cell + 1)),
      );
      const path = cells.map((cell, ply) => theirWords(cell, ply));
      const other = await nextNode(theirs, null, path, { services });
      const board = boardOf(cells);
      if (ours.kind === "end" || other.kind === "end") {
        if (boards.has(board)) return;
        boards.set(board, { ply: cells.length });
        endCount++;
        if (ours.kind !== "end" || other.kind !== "end") return expect(other, board).toEqual(ours);
        const { X, O } = ours.outcome.returns;
        return expect(other.outcome.returns, board).toEqual({ "player-0": X, "player-1": O });
      }
      if (ours.kind !== "decision" || other.kind !== "decision") return expect(other).toEqual(ours);
      expect(other.seat, board).toBe(ours.seat === "X" ? "player-0" : "player-1");
      expect(other.position, board).toBe(board);
      const legal = ours.choices.map((choice) => Number(choice) - 1);
      expect(other.choices, board).toEqual(legal.map((cell) => theirWords(cell, cells.length)));
      if (boards.has(board)) return;
      boards.set(board, { ply: cells.length });
      for (const cell of legal) await compare([...cells, cell]);
    };
    await compare([]);
    // As is known of the game: 5,478 boards, of which 958 are ends.
    expect([boards.size, endCount]).toEqual([5478, 958]);
  });

  test("tic-tac-toe: solved through the service, every value is ours", async () => {
    const theirs = await solveMatch(await load("tic_tac_toe"), null, { services });
    const ours = await solveMatch(ticTacToe, { isExplained: true });
    const shown = ({ position }: { readonly position: string }): string =>
      position.replaceAll("X", "x").replaceAll("O", "o").replaceAll(/[\d]/gu, ".").replaceAll(" ", "");
    const values = new Map([...ours.positions.values()].map((one) => [shown(one), one.value]));
    expect(theirs.positions.size).toBe(ours.positions.size);
    for (const { position, value } of theirs.positions.values())
      expect(value, position).toBe(values.get(position));
    expect(theirs.returns).toEqual({ "player-0": 0, "player-1": 0 });
  });

  test("Kuhn poker: what profiles return and how far they are from an equilibrium, by both sides' own analysis", async () => {
    const theirs = await growTree(await load("kuhn_poker"), null, { services });
    const ours = await growTree(kuhnPoker, { isExplained: false });
    expect(theirs.informationSets.size).toBe(12);
    const profiles = [
      kuhnProfile(theirs, () => 1 / 2),
      kuhnProfile(theirs, (state) => equilibriumBets[state] ?? 0),
      // Each information set another number.
      kuhnProfile(theirs, (state) => ((state.length * 7 + state.charCodeAt(0) * 3) % 11) / 11),
    ];
    const told = askOracle("kuhn_poker", profiles.map(probabilitiesOf));
    for (const [index, profile] of profiles.entries()) {
      const through = exploitabilityOf(theirs, profile);
      const own = exploitabilityOf(ours, asOurs(ours, profile));
      const { returns, nashConv } = present(told[index], "an answer of the oracle");
      const oracle = { first: returns[0] ?? NaN, second: returns[1] ?? NaN, nashConv };
      const { "player-0": first = NaN, "player-1": second = NaN } = through.returns;
      expectClose({ first, second, nashConv: through.nashConv }, oracle, tolerances.float64);
      expectClose({ ...own.returns, nashConv: own.nashConv }, oracle, tolerances.float64);
      expectDifferent({ ...own.returns, nashConv: own.nashConv + 1e-6 }, oracle, tolerances.float64);
    }
    expectClose(
      { first: told[1]?.returns[0] ?? NaN, gain: told[1]?.nashConv ?? NaN },
      { first: -1 / 18, gain: 0 },
      tolerances.float64,
    );
  });

  test("simultaneous moves are asked for one after the other, and the second does not see the first", async () => {
    const match = await load("matrix_rps");
    expect(match.facts.information).toBe("hidden");
    const tree = await growTree(match, null, { services });
    expect(tree.informationSets.size).toBe(2);
    const { returns, nashConv } = exploitabilityOf(
      tree,
      profileOf(tree, ({ choices }) => ({
        choices: Object.fromEntries(choices.map((choice) => [choice, choice === "Rock" ? 1 : 0])),
        illegal: 0,
      })),
    );
    expect([returns, nashConv]).toEqual([{ "player-0": 0, "player-1": 0 }, 2]);
  });

  test("dice with unequal chances are drawn exactly, so that a game with them has an exact tree", async () => {
    const match = await load("pig(players=2,winscore=3,horizon=6)");
    const solved = await solveMatch(match, null, { services });
    expect(solved.positions.size).toBeGreaterThan(3);
  });

  test("Leduc poker is solved: 936 information sets, and what the first player gets is known", async () => {
    const { tree, returns, nashConv } = await findEquilibrium(await load("leduc_poker"), null, { services });
    expect(tree.informationSets.size).toBe(936);
    expect(nashConv).toBeLessThan(1e-3);
    expect(Math.abs(present(returns["player-0"], "a return") + 0.085606)).toBeLessThan(nashConv);
  });

  test.each([
    { name: "tic_tac_to", code: "unknown-game", hint: "did you mean tic_tac_toe" },
    { name: "kuhn_poker(players=1)", code: "game-unsupported", hint: null },
    { name: "mfg_crowd_modelling", code: "game-unsupported", hint: null },
  ])("$name is refused with $code", async ({ name, code, hint }) => {
    const error = await expectCode(games.describe("open-spiel", name), code);
    expect(error.message).toContain(name);
    if (hint !== null) expect(error.hint).toContain(hint);
  });

  test("what was recorded of Kuhn poker, for tests without Python, is what it says", async () => {
    const description = await games.describe("open-spiel", "kuhn_poker");
    const states: JsonValue[] = [];
    const record = async (history: readonly number[]): Promise<void> => {
      const input = { game: "kuhn_poker", history };
      const output = await services["open-spiel"](input, {});
      states.push({ input, output });
      for (const action of actionsOf(output)) await record([...history, action]);
    };
    await record([]);
    const file = new URL("recorded/kuhn-poker.json", import.meta.url);
    if (!existsSync(file)) {
      const lines = states.map((state) => JSON.stringify(state)).join(",\n");
      writeFileSync(file, `{"description":${JSON.stringify(description)},\n"states":[\n${lines}\n]}\n`);
      expect.fail("it was missing and has been recorded now: run the test again");
    }
    expect(JSON.parse(readFileSync(file, "utf8"))).toEqual({ description, states });
  });

  test("a history that the rules forbid is refused, and the process stays", async () => {
    await expectCode(services["open-spiel"]({ game: "tic_tac_toe", history: [0, 0] }, {}), "illegal-action");
    await expectCode(
      services["open-spiel"]({ game: "tic_tac_toe", history: [99_999] }, {}),
      "illegal-action",
    );
    expect(await services["open-spiel"]({ game: "tic_tac_toe", history: [0] }, {})).toMatchObject({
      player: 1,
    });
  });
});

if (reason === null) {
  describeGame(await load("tic_tac_toe"), {
    transcript: new URL("recorded/open-spiel-tic-tac-toe.txt", import.meta.url),
    services,
    illegalReplies: ["x(3,3)", "5"],
  });
  describeGame(await load("leduc_poker"), {
    transcript: new URL("recorded/open-spiel-leduc-poker.txt", import.meta.url),
    services,
    illegalReplies: ["Check"],
    // The cards of the two are drawn first.
    secrets: ({ draws }) =>
      [0, 1].flatMap((player) => {
        const card = draws[`chance ${player}`];
        return card === undefined
          ? []
          : [{ hiddenFrom: `player-${1 - player}`, words: [`[Private: ${Number(card)}]`] }];
      }),
  });
}

const stateSchema = z.union([
  z.object({ legal: z.array(z.object({ action: z.number() })) }),
  z.object({ outcomes: z.array(z.object({ action: z.number() })) }),
  z.object({ returns: z.array(z.number()) }),
]);

function actionsOf(output: JsonValue): number[] {
  const state = stateSchema.parse(output);
  if ("returns" in state) return [];
  return ("legal" in state ? state.legal : state.outcomes).map(({ action }) => action);
}

const theirWords = (cell: number, ply: number): string =>
  `${ply % 2 === 0 ? "x" : "o"}(${Math.floor(cell / 3)},${cell % 3})`;

function boardOf(cells: readonly number[]): string {
  const marks = Array.from({ length: 9 }, (_value, cell) => {
    const ply = cells.indexOf(cell);
    return ply < 0 ? "." : ply % 2 === 0 ? "x" : "o";
  });
  return [0, 3, 6].map((start) => marks.slice(start, start + 3).join("")).join("\n");
}

/** Kuhn's equilibrium with alpha 1/5: the probability of a bet by OpenSpiel's information state, card then moves. */
const equilibriumBets: Readonly<Record<string, number>> = {
  "0": 1 / 5,
  "2": 3 / 5,
  "1pb": 1 / 5 + 1 / 3,
  "2pb": 1,
  "0p": 1 / 3,
  "2p": 1,
  "1b": 1 / 3,
  "2b": 1,
};

function kuhnProfile(tree: MatchTree, bet: (state: string) => number): Profile {
  return profileOf(tree, ({ position }) => ({
    choices: { Pass: 1 - bet(position), Bet: bet(position) },
    illegal: 0,
  }));
}

/** By OpenSpiel's information state and action: 0 passes, 1 bets. */
function probabilitiesOf(profile: Profile): JsonValue {
  return Object.fromEntries(
    Object.entries(profile).map(([key, { choices }]) => [
      key.replace(/^.*: /u, ""),
      { "0": choices["Pass"] ?? NaN, "1": choices["Bet"] ?? NaN },
    ]),
  );
}

/** The same profile in our words. */
function asOurs(tree: MatchTree, profile: Profile): Profile {
  return profileOf(tree, ({ seat, position }) => {
    const [card = "", ...moves] = position.split(/ after |, /u);
    const state = `${"JQK".indexOf(card)}${moves.map((move) => move.charAt(0)).join("")}`;
    const player = seat === "first" ? "player-0" : "player-1";
    const { choices } = present(profile[`${player}: ${state}`], `a behavior for ${player}: ${state}`);
    return { choices: { p: choices["Pass"] ?? NaN, b: choices["Bet"] ?? NaN }, illegal: 0 };
  });
}

const toldSchema = z.array(z.object({ returns: z.array(z.number()), nashConv: z.number() }));

function askOracle(game: string, profiles: readonly JsonValue[]): z.output<typeof toldSchema> {
  const script = fileURLToPath(new URL("oracle.py", import.meta.url));
  const { status, stdout, stderr } = spawnSync(python, [script], {
    input: JSON.stringify({ game, profiles }),
    encoding: "utf8",
  });
  expect(status, stderr).toBe(0);
  return toldSchema.parse(JSON.parse(stdout));
}
