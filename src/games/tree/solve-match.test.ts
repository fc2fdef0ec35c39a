import { beforeAll, expect, test } from "vitest";
import { createRandom } from "../../base/index.ts";
import { expectClose, expectCode, expectDifferent, tolerances } from "../../testing/index.ts";
import { defineMatch, type Match } from "../match.ts";
import { game as ticTacToe } from "../tic-tac-toe/game.ts";
import type { DecisionNode } from "./nodes.ts";
import { scoreAgainstPerfect, type ScoreAgainstPerfect } from "./score-against-perfect.ts";
import { solveMatch, type Solution } from "./solve-match.ts";

const task = { isExplained: false };
let solution: Solution;

beforeAll(async () => {
  solution = await solveMatch(ticTacToe, task);
}, 60_000);

test("tic-tac-toe has 4,520 positions that go on, and perfect play ends in a draw", () => {
  // 5,478 with the finished ones, of which 626 are won by X, 316 by O, 16 are drawn.
  expect(solution.positions.size).toBe(5478 - 626 - 316 - 16);
  expect(solution.returns).toEqual({ X: 0, O: 0 });
});

test("best choices of tic-tac-toe are the known ones, ties kept", () => {
  const empty = "1 2 3\n4 5 6\n7 8 9";
  expect(solution.bestChoices("X", empty)).toEqual(Array.from("123456789"));
  expect(solution.bestChoices("O", "X 2 3\n4 5 6\n7 8 9")).toEqual(["5"]);
  expect(solution.bestChoices("O", "1 2 3\n4 X 6\n7 8 9")).toEqual(["1", "3", "7", "9"]);
  expect(solution.bestChoices("X", "X X 3\nO O 6\n7 8 9")).toEqual(["3"]);
  expect(solution.bestChoices("X", "elsewhere")).toEqual([]);
});

test("a position tells the worth of each choice to the seat that moves", () => {
  const solved = solution.positions.get("O: 1 2 3\n4 X 6\n7 8 9");
  expect(solved?.value).toBe(0);
  expect(solved?.choiceValues).toEqual({ 1: 0, 2: -1, 3: 0, 4: -1, 6: -1, 7: 0, 8: -1, 9: 0 });
});

/** Take one or two of a few stones, the last one wins; a coin says how many there are. */
function stones(facts: Partial<Match["facts"]> = {}): Match<null> {
  const names = ["left", "right"];
  return defineMatch<null>({
    id: "stones",
    title: "Stones",
    rules: "Take one or two stones; who takes the last one wins.",
    seats: names,
    facts: {
      information: "perfect",
      hasChance: true,
      isZeroSum: true,
      smallestReturn: -1,
      largestReturn: 1,
      ...facts,
    },
    defaultTask: null,
    limits: { turns: 9, calls: 0, tokens: 9, timeMs: 1000 },
    play: async (table) => {
      let left = table.draw("stones", [3, 4, 5, 6]);
      for (let turn = 0; ; turn++) {
        const seat = names[turn % 2] ?? "";
        const position = `${left} stones`;
        const choices = left === 1 ? ["1"] : ["1", "2"];
        const reply = await table.ask(seat, { prompt: [], parse: Number, choices, position });
        if (reply.kind === "limit") throw new Error("unexpected");
        left -= reply.turn.parsed;
        if (left === 0)
          return {
            returns: { left: turn % 2 === 0 ? 1 : -1, right: turn % 2 === 0 ? -1 : 1 },
            forfeitedBy: null,
            how: "the last stone",
          };
      }
    },
  });
}

test("chance counts by its probability", async () => {
  const solved = await solveMatch(stones(), null);
  // Multiples of three are lost for whoever moves: two of the four starts.
  expect(solved.returns).toEqual({ left: 0, right: 0 });
  expect(solved.bestChoices("left", "5 stones")).toEqual(["2"]);
  expect(solved.bestChoices("left", "3 stones")).toEqual(["1", "2"]);
});

test("more seats, hidden information and returns without a fixed sum are refused", async () => {
  await expectCode(solveMatch({ ...stones(), seats: ["left", "right", "third"] }, null), "not-solvable");
  await expectCode(solveMatch(stones({ information: "hidden" }), null), "not-solvable");
  await expectCode(solveMatch(stones({ isZeroSum: false }), null), "not-solvable");
});

const score = (seat: string, choose: (node: DecisionNode) => string): Promise<ScoreAgainstPerfect> =>
  scoreAgainstPerfect({
    match: ticTacToe,
    task,
    seat,
    solution,
    reply: async (nodes) => nodes.map(choose),
  });

test.each(["X", "O"])("a perfect player of %s never loses, whatever the opponent does", async (seat) => {
  const perfect = await score(seat, (node) => solution.bestChoices(node.seat, node.position)[0] ?? "");
  expect(perfect).toMatchObject({ lossShare: 0, illegalShare: 0, worstReturn: 0, isBeatable: false });
  expectClose(perfect.drawShare, 1, tolerances.float64);
});

test("illegal replies are lost and counted", async () => {
  expect(await score("X", () => "5")).toMatchObject({ lossShare: 1, illegalShare: 1, expectedReturn: -1 });
  const nonsense = await score("O", () => "nonsense");
  expect(nonsense).toMatchObject({ worstReturn: -1, replyCount: 9 });
  expectClose(nonsense.illegalShare, 1, tolerances.float64);
});

test("shares are those of a plain walk over the tree of boards", async () => {
  const orders = ["628517340", "415263780"];
  const [first = "", second = ""] = orders;
  const shares = async (order: string): Promise<Record<string, number>> => {
    const { winShare, drawShare, lossShare } = await score(
      "X",
      ({ choices }) =>
        Array.from(order, (cell) => String(Number(cell) + 1)).find((cell) => choices.includes(cell)) ?? "",
    );
    return { winShare, drawShare, lossShare };
  };
  const plain = (order: string): Record<string, number> =>
    plainShares((board) => Array.from(order, Number).find((cell) => board[cell] === null) ?? 0);
  for (const order of orders) expectClose(await shares(order), plain(order), tolerances.float64);
  expectDifferent(plain(first), plain(second), tolerances.float64);
});

test("an opponent may have to play worse moves to beat a player", async () => {
  // Perfect but for one position that a perfect O never leads to.
  const trap = "X O 3\n4 5 6\n7 8 9";
  const trusting = await score("X", (node) => {
    if (node.position === trap) return "3";
    return solution.bestChoices(node.seat, node.position)[0] ?? "";
  });
  expect(trusting).toMatchObject({ lossShare: 0, isBeatable: false, worstReturn: 0 });
  const careless = await score("X", (node) => {
    if (node.position === trap) return "2";
    return solution.bestChoices(node.seat, node.position)[0] ?? "";
  });
  expect(careless).toMatchObject({ lossShare: 0, isBeatable: true, worstReturn: -1 });
});

test("a level of the tree is asked for at once", async () => {
  const sizes: number[] = [];
  const random = createRandom(1);
  await scoreAgainstPerfect({
    match: ticTacToe,
    task,
    seat: "O",
    solution,
    reply: async (nodes) => {
      sizes.push(nodes.length);
      return nodes.map((node) => random.pick(node.choices));
    },
  });
  expect(sizes.slice(0, 2)).toEqual([9, 63]);
  expect(sizes.length).toBeLessThanOrEqual(5);
});

type Board = readonly ("X" | "O" | null)[];

/** Shares of X with a fixed rule against a uniformly perfect O, by minimax over boards in plain loops. */
function plainShares(rule: (board: Board) => number): Record<string, number> {
  const lines = ["012", "345", "678", "036", "147", "258", "048", "246"].map((line) =>
    Array.from(line, Number),
  );
  const winner = (board: Board): "X" | "O" | null => {
    for (const [a = 0, b = 0, c = 0] of lines) {
      if (board[a] !== null && board[a] === board[b] && board[b] === board[c]) return board[a] ?? null;
    }
    return null;
  };
  const free = (board: Board): number[] => board.flatMap((mark, cell) => (mark === null ? [cell] : []));
  const minimax = (board: Board, mark: "X" | "O"): number => {
    const won = winner(board);
    if (won !== null) return won === "X" ? 1 : -1;
    const values = free(board).map((cell) => minimax(board.with(cell, mark), mark === "X" ? "O" : "X"));
    if (values.length === 0) return 0;
    return mark === "X" ? Math.max(...values) : Math.min(...values);
  };
  const shares = { winShare: 0, drawShare: 0, lossShare: 0 };
  const play = (board: Board, mark: "X" | "O", weight: number): void => {
    const won = winner(board);
    if (won !== null || free(board).length === 0) {
      shares[won === null ? "drawShare" : won === "X" ? "winShare" : "lossShare"] += weight;
      return;
    }
    if (mark === "X") return play(board.with(rule(board), "X"), "O", weight);
    const values = free(board).map((cell) => ({ cell, value: minimax(board.with(cell, "O"), "X") }));
    const best = Math.min(...values.map(({ value }) => value));
    const choices = values.filter(({ value }) => value === best);
    for (const { cell } of choices) play(board.with(cell, "O"), "X", weight / choices.length);
  };
  play(
    Array.from({ length: 9 }, () => null),
    "X",
    1,
  );
  return shares;
}
