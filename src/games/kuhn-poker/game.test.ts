import { expect, test } from "vitest";
import { describeGame } from "../../testing/index.ts";
import { nextNode } from "../tree/next-node.ts";
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

/** Cards of first and second, by the indices that draw them: among J, Q, K, then among the other two. */
const deals = { "J against Q": [0, 0], "Q against K": [1, 1], "K against J": [2, 0] };

test.each([
  { deal: "K against J", moves: ["p", "p"], first: 1, how: "the higher card" },
  { deal: "J against Q", moves: ["p", "p"], first: -1, how: "the higher card" },
  { deal: "Q against K", moves: ["b", "b"], first: -2, how: "the higher card" },
  { deal: "K against J", moves: ["b", "b"], first: 2, how: "the higher card" },
  { deal: "J against Q", moves: ["b", "p"], first: 1, how: "the other passed" },
  { deal: "K against J", moves: ["p", "b", "p"], first: -1, how: "the other passed" },
  { deal: "K against J", moves: ["p", "b", "b"], first: 2, how: "the higher card" },
  { deal: "J against Q", moves: ["p", "b", "b"], first: -2, how: "the higher card" },
] as const)("$deal, moves $moves: the first seat gets $first", async ({ deal, moves, first, how }) => {
  const node = await nextNode(game, game.defaultTask, [...deals[deal], ...moves]);
  const [own, , other] = deal.split(" ");
  const words = moves.map((move) => (move === "p" ? "pass" : "bet")).join(", ");
  const final = `first holds ${own}, second holds ${other}: ${words}`;
  const outcome = { returns: { first, second: -first }, forfeitedBy: null, how, final };
  expect(node).toEqual({ kind: "end", outcome });
});

test.each([
  ["p", "pass"],
  ["B", "bet"],
  [" bet.", "bet"],
  ["**pass** because of the odds", "pass"],
])("the reply %j is read as %s", async (text, action) => {
  const node = await nextNode(game, game.defaultTask, [0, 0, text]);
  expect(node).toMatchObject({ kind: "decision", position: `Q after ${action}` });
});

test.each(["I pass", "", "b2", "better", "пас", "bp"])(
  "the reply %j is unreadable and costs two chips",
  async (text) => {
    const node = await nextNode(game, game.defaultTask, [0, 0, text]);
    const final = "first holds J, second holds Q: no move";
    expect(node).toMatchObject({
      outcome: { forfeitedBy: "first", returns: { first: -2, second: 0 }, final },
    });
  },
);
