import { expect, test } from "vitest";
import { describeGame } from "../../testing/index.ts";
import { nextNode } from "../tree/next-node.ts";
import { game } from "./game.ts";

describeGame(game, {
  transcript: new URL("transcript.txt", import.meta.url),
  tasks: [{ isExplained: true }, { isExplained: false }],
  illegalReplies: ["0", "10", "12", "none"],
});

const task = { isExplained: true };

test.each(["123", "456", "789", "147", "258", "369", "159", "357"])(
  "three marks on the line %s win for X and for O",
  async (line) => {
    const others = Array.from("123456789").filter((cell) => !line.includes(cell));
    const [a = "", b = "", c = ""] = line;
    // Two of the other cells never make a line; the third of O's opponent must not either.
    const [d = "", e = ""] = others;
    const wonByX = await nextNode(game, task, [a, d, b, e, c]);
    expect(wonByX).toMatchObject({ outcome: { returns: { X: 1, O: -1 }, how: "three in a row" } });
    const f =
      others.find(
        (cell) =>
          ![d, e].includes(cell) &&
          !["147", "258", "369", "456", "789", "123", "159", "357"].includes(
            [d, e, cell].toSorted().join(""),
          ),
      ) ?? "";
    const wonByO = await nextNode(game, task, [d, a, e, b, f, c]);
    expect(wonByO).toMatchObject({ outcome: { returns: { X: -1, O: 1 }, how: "three in a row" } });
  },
);

test("a full board without a line is a draw", async () => {
  const node = await nextNode(game, task, Array.from("152473698"));
  const returns = { X: 0, O: 0 };
  const final = "X X O\nO O X\nX X O";
  expect(node).toEqual({
    kind: "end",
    outcome: { returns, forfeitedBy: null, how: "the board is full", final },
  });
});

test.each([
  ["5", "5"],
  ["cell 7, to block", "7"],
  ["\n 3.", "3"],
])("the reply %j is read as cell %s", async (text, cell) => {
  const node = await nextNode(game, task, [text]);
  expect(node).toMatchObject({ kind: "decision", seat: "O" });
  expect(node.kind === "decision" && node.choices).not.toContain(cell);
});

test.each(["12", "0", "five", "-", "10 or 1"])("the reply %j is unreadable and forfeits", async (text) => {
  const node = await nextNode(game, task, [text]);
  expect(node).toMatchObject({ outcome: { forfeitedBy: "X", returns: { X: -1, O: 0 } } });
});

test("the board at the end has the last move, and the move that was refused is not on it", async () => {
  const won = await nextNode(game, task, Array.from("14253"));
  expect(won).toMatchObject({ outcome: { final: "X X X\nO O 6\n7 8 9" } });
  const refused = await nextNode(game, task, ["5", "5"]);
  expect(refused).toMatchObject({ outcome: { forfeitedBy: "O", final: "1 2 3\n4 X 6\n7 8 9" } });
});
