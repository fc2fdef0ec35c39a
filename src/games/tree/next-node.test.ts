import { expect, test } from "vitest";
import { expectCode } from "../../testing/index.ts";
import type { Ask, Segment, Table } from "../game.ts";
import { defineMatch, type Match, type MatchOutcome } from "../match.ts";
import { game as ticTacToe } from "../tic-tac-toe/game.ts";
import { nextNode } from "./next-node.ts";

const say = (text: string): Segment => ({ kind: "text", role: "user", text });
const draw: MatchOutcome = { returns: { a: 0, b: 0 }, forfeitedBy: null, how: "even" };
const yesOrNo = (more: Partial<Ask<string>> = {}): Ask<string> => ({
  prompt: [say("yes?")],
  parse: (text) => text,
  choices: ["yes", "no"],
  position: "asked",
  ...more,
});

function matchOf(play: (table: Table) => Promise<MatchOutcome>): Match<null> {
  return defineMatch<null>({
    id: "small",
    title: "Small",
    rules: "Say yes or no.",
    seats: ["a", "b"],
    facts: { information: "perfect", hasChance: true, isZeroSum: true, smallestReturn: -1, largestReturn: 1 },
    defaultTask: null,
    limits: { turns: 3, calls: 1, tokens: 100, timeMs: 1000 },
    play,
  });
}

test("the start of tic-tac-toe is a decision of X among nine cells", async () => {
  const node = await nextNode(ticTacToe, { isExplained: false }, []);
  expect(node).toMatchObject({ kind: "decision", seat: "X", choices: Array.from("123456789"), maxTokens: 1 });
});

test("a decision carries what its seat saw and said before, and not the other's conversation", async () => {
  const node = await nextNode(ticTacToe, { isExplained: false }, ["5", "1", "9"]);
  expect(node).toMatchObject({
    kind: "decision",
    seat: "O",
    prompt: [say("9")],
    context: [say("O5"), { kind: "text", role: "assistant", text: "1" }],
  });
});

test("an illegal reply is played as it is", async () => {
  const node = await nextNode(ticTacToe, { isExplained: false }, ["5", "5"]);
  expect(node).toMatchObject({ kind: "end", outcome: { forfeitedBy: "O", returns: { X: 0, O: -1 } } });
});

test("draws are chance nodes, and a label that is drawn again gives the same", async () => {
  const coin = matchOf(async (table) => {
    const side = table.draw("coin", ["heads", "tails"]);
    const again = table.draw("coin", ["heads", "tails"]);
    return { ...draw, how: `${side} ${again}` };
  });
  expect(await nextNode(coin, null, [])).toEqual({ kind: "chance", label: "coin", count: 2 });
  expect(await nextNode(coin, null, [1])).toEqual({ kind: "end", outcome: { ...draw, how: "tails tails" } });
});

test("a game that catches what a draw throws stops there all the same", async () => {
  const stubborn = matchOf(async (table) => {
    try {
      table.draw("coin", ["heads", "tails"]);
    } catch {
      // As a careless author would.
    }
    return draw;
  });
  expect(await nextNode(stubborn, null, [])).toMatchObject({ kind: "chance" });
});

test("turns beyond the limit are refused as a real table does", async () => {
  const endless = matchOf(async (table) => {
    for (let turn = 0; ; turn++) {
      const reply = await table.ask("a", yesOrNo());
      if (reply.kind === "limit")
        return { ...draw, how: `${reply.limit} after ${turn}, ${table.left.turns}` };
    }
  });
  expect(await nextNode(endless, null, ["yes", "no", "yes"])).toEqual({
    kind: "end",
    outcome: { ...draw, how: "turns after 3, 0" },
  });
});

test("the task that a game gets is its own", async () => {
  const task = { words: ["one"] };
  const greedy: Match<{ words: string[] }> = {
    ...matchOf(async () => draw),
    defaultTask: task,
    play: async (_table, own) => {
      own.words.pop();
      return draw;
    },
  };
  await nextNode(greedy, task, []);
  expect(task.words).toEqual(["one"]);
});

const refused: readonly { readonly what: string; readonly play: (table: Table) => Promise<MatchOutcome> }[] =
  [
    {
      what: "asks two seats at once",
      play: async (table) => {
        await Promise.all([table.ask("a", yesOrNo()), table.ask("b", yesOrNo())]);
        return draw;
      },
    },
    {
      what: "draws while a seat is asked",
      play: async (table) => {
        const reply = table.ask("a", yesOrNo());
        table.draw("coin", [0, 1]);
        await reply;
        return draw;
      },
    },
    { what: "calls a service", play: async (table) => table.call("dictionary", "word").then(() => draw) },
    {
      what: "asks for siblings",
      play: async (table) => table.askSiblings("a", 2, yesOrNo()).then(() => draw),
    },
    {
      what: "uses random",
      play: async (table) => ({ ...draw, how: String(table.random("dice").integer(6)) }),
    },
    {
      what: "uses random and catches the refusal",
      play: async (table) => {
        try {
          table.random("dice");
        } catch {
          return draw;
        }
        return draw;
      },
    },
    {
      what: "gives no choices",
      play: async (table) => {
        await table.ask("a", { prompt: [], parse: (text) => text, position: "start" });
        return draw;
      },
    },
    {
      what: "gives empty choices",
      play: async (table) => table.ask("a", yesOrNo({ choices: [] })).then(() => draw),
    },
    {
      what: "gives a choice twice",
      play: async (table) => table.ask("a", yesOrNo({ choices: ["yes", "yes"] })).then(() => draw),
    },
    {
      what: "gives no position",
      play: async (table) => {
        await table.ask("a", { prompt: [], parse: (text) => text, choices: ["yes"] });
        return draw;
      },
    },
    {
      what: "asks a seat that is not there",
      play: async (table) => table.ask("c", yesOrNo()).then(() => draw),
    },
    { what: "draws from nothing", play: async (table) => table.draw<MatchOutcome>("coin", []) },
  ];

test.each(refused)("a game that $what is refused", async ({ play }) => {
  await expectCode(nextNode(matchOf(play), null, []), "no-exact-tree");
});

test("two asks at once are refused also where the path has an answer to the first", async () => {
  const both = matchOf(async (table) => {
    await Promise.all([table.ask("a", yesOrNo()), table.ask("b", yesOrNo())]);
    return draw;
  });
  await expectCode(nextNode(both, null, ["yes"]), "no-exact-tree");
});

test.each([
  { what: "longer than the game", path: [0, "yes", "yes"] },
  { what: "with a reply for a draw", path: ["yes"] },
  { what: "with a draw for a reply", path: [0, 0] },
  { what: "with a draw that is not there", path: [2] },
])("a path $what is refused", async ({ path }) => {
  const coinThenAsk = matchOf(async (table) => {
    table.draw("coin", [0, 1]);
    await table.ask("a", yesOrNo());
    return draw;
  });
  await expectCode(nextNode(coinThenAsk, null, path), "no-exact-tree");
});

test("what a game throws is thrown", async () => {
  const broken = matchOf(async () => {
    throw new TypeError("broken rules");
  });
  await expect(nextNode(broken, null, [])).rejects.toThrow("broken rules");
});
