/**
 * Tic-tac-toe: two seats, perfect information, no chance, a draw with perfect play. Each seat keeps a
 * conversation of its own and is told the other's move; a move is the number of a cell, 1 to 9.
 */
import type { Reply, Segment, TurnView } from "../game.ts";
import { defineMatch, forfeit, type Match, type MatchFacts, type MatchOutcome } from "../match.ts";

export type TicTacToeTask = {
  /** Whether prompts tell the rules and show the board, for models that read; else moves alone. */
  readonly isExplained: boolean;
};

type Move = { readonly kind: "move"; readonly cell: number } | { readonly kind: "unreadable" };
type Mark = "X" | "O";
/** As people read it: nine cells row by row, each shown by its number until it is marked. */
type Board = string;

const seats: readonly Mark[] = ["X", "O"];
const facts: MatchFacts = {
  information: "perfect",
  hasChance: false,
  isZeroSum: true,
  smallestReturn: -1,
  largestReturn: 1,
};
const rules =
  "X and O take turns to mark one of nine cells, numbered 1 to 9 row by row from the top left. Three marks in a row, column or diagonal win; a full board is a draw.";
const emptyBoard: Board = "1 2 3\n4 5 6\n7 8 9";
const cells = Array.from("123456789");
const lines = ["123", "456", "789", "147", "258", "369", "159", "357"].map((line) =>
  Array.from(line, Number),
);

export const game: Match<TicTacToeTask> = defineMatch({
  id: "tic-tac-toe",
  title: "Tic-tac-toe",
  rules,
  seats,
  facts,
  defaultTask: { isExplained: true },
  limits: { turns: 9, calls: 0, tokens: 4096, timeMs: 3_600_000 },
  play: async (table, task) => {
    let board = emptyBoard;
    const forfeited = (seat: Mark, how: string): MatchOutcome => ({
      ...forfeit({ seats, facts }, seat, how),
      final: board,
    });
    const lastTurns = new Map<Mark, TurnView<Move>>();
    let previous: string | null = null;
    for (let ply = 0; ply < cells.length; ply++) {
      const seat = ply % 2 === 0 ? "X" : "O";
      const from = lastTurns.get(seat);
      const reply: Reply<Move> = await table.ask(seat, {
        prompt: task.isExplained ? explained(seat, board, from === undefined) : moves(seat, previous, from),
        parse: readMove,
        choices: emptyCells(board),
        position: board,
        maxTokens: task.isExplained ? 16 : 1,
        from,
      });
      if (reply.kind === "limit") return forfeited(seat, `no reply: ${reply.limit} used up`);
      const parsed: Move = reply.turn.parsed;
      if (parsed.kind === "unreadable") return forfeited(seat, "unreadable reply");
      if (!isEmpty(board, parsed.cell)) return forfeited(seat, "cell already taken");
      board = marked(board, parsed.cell, seat);
      if (hasLine(board, seat)) return won(seat, board);
      lastTurns.set(seat, reply.turn);
      previous = String(parsed.cell);
    }
    return { returns: { X: 0, O: 0 }, forfeitedBy: null, how: "the board is full", final: board };
  },
});

function won(seat: Mark, board: Board): MatchOutcome {
  return {
    returns: { X: seat === "X" ? 1 : -1, O: seat === "O" ? 1 : -1 },
    forfeitedBy: null,
    how: "three in a row",
    final: board,
  };
}

/** The first number in the reply; what follows may explain it. */
function readMove(text: string): Move {
  const digit = /^\D*([1-9])(?!\d)/u.exec(text)?.[1];
  return digit === undefined ? { kind: "unreadable" } : { kind: "move", cell: Number(digit) };
}

/** For tiny models: the own mark once, then the other's moves. */
function moves(seat: Mark, previous: string | null, from: TurnView | undefined): Segment[] {
  const mark = from === undefined ? seat : "";
  return [{ kind: "text", role: "user", text: `${mark}${previous ?? ""}` }];
}

function explained(seat: Mark, board: Board, isFirst: boolean): Segment[] {
  const text = `${board}\nYou are ${seat}. Reply with the number of an empty cell.`;
  const opening: Segment[] = isFirst ? [{ kind: "text", role: "system", text: rules }] : [];
  return [...opening, { kind: "text", role: "user", text }];
}

function emptyCells(board: Board): string[] {
  return cells.filter((_name, index) => isEmpty(board, index + 1));
}

function isEmpty(board: Board, cell: number): boolean {
  return board[placeOf(cell)] === cells[cell - 1];
}

function marked(board: Board, cell: number, mark: Mark): Board {
  return `${board.slice(0, placeOf(cell))}${mark}${board.slice(placeOf(cell) + 1)}`;
}

/** Where a cell stands in a board: a space or the end of a line follows each. */
function placeOf(cell: number): number {
  return 2 * (cell - 1);
}

function hasLine(board: Board, mark: Mark): boolean {
  return lines.some((line) => line.every((cell) => board[placeOf(cell)] === mark));
}
