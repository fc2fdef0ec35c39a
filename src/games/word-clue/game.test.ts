import { beforeAll, describe, expect, test } from "vitest";
import { describeGame, expectClose, tolerances } from "../../testing/index.ts";
import type { CallOutcome, Table } from "../game.ts";
import type { MatchOutcome } from "../match.ts";
import { exploitabilityOf } from "../tree/best-response.ts";
import { growTree, type MatchTree } from "../tree/grow-tree.ts";
import { nextNode } from "../tree/next-node.ts";
import {
  expectedReturns,
  profileOf,
  uniformBehavior,
  type Behavior,
  type Profile,
} from "../tree/profiles.ts";
import { game, type WordClueTask } from "./game.ts";

const small = (wordCount: number, clueCount: number): WordClueTask => ({
  words: ["A", "B", "C", "D"].slice(0, wordCount),
  clues: ["x", "y", "z", "w"].slice(0, clueCount),
  isExplained: false,
});
const open: WordClueTask = { words: ["zebra", "oboe"], clues: null, isExplained: true };
const dictionary = new Set(["stripes", "horse", "music", "zebras"]);

describeGame(game, {
  transcript: new URL("transcript.txt", import.meta.url),
  tasks: [game.defaultTask, small(3, 2), open, { ...open, isExplained: false }],
  services: { dictionary: async (input) => dictionary.has((input as { readonly word: string }).word) },
  reply: ({ seat }, random) => random.pick(seat === "describer" ? ["stripes", "horse"] : ["zebra", "lute"]),
  illegalReplies: ["unlisted", "water stone", "A, B"],
  // Where the words are listed for all, what gives a secret away is shown by the test of equal positions.
  secrets: ({ task, draws }) =>
    task.clues === null ? [{ hiddenFrom: "guesser", words: [String(draws["secret word"])] }] : [],
});

/** Plays with these replies; the first word is drawn. */
async function playOpen(
  replies: Readonly<Record<string, string>>,
  answer: CallOutcome = { kind: "output", output: true },
): Promise<{ readonly outcome: MatchOutcome; readonly calls: readonly unknown[] }> {
  const calls: unknown[] = [];
  const unused = (): never => {
    throw new Error("not used");
  };
  const table: Table = {
    ask: async (seat, ask) => {
      const text = replies[seat] ?? "";
      return {
        kind: "turn",
        turn: { turnId: seat, text, parsed: ask.parse(text), finishReason: "stop", meanLogprob: null },
      };
    },
    askSiblings: unused,
    call: async (service, input) => {
      calls.push({ service, input });
      return answer;
    },
    draw: (_label, outcomes) => outcomes[0] ?? unused(),
    random: unused,
    left: game.limits,
  };
  return { outcome: await game.play(table, open), calls };
}

describe("an open clue", () => {
  test("is looked up in the dictionary, and the right guess wins for both", async () => {
    const { outcome, calls } = await playOpen({ describer: "Stripes!", guesser: " Zebra." });
    expect(outcome).toMatchObject({ returns: { describer: 1, guesser: 1 }, forfeitedBy: null });
    expect(calls).toEqual([{ service: "dictionary", input: { word: "Stripes" } }]);
  });

  test("any word is a legal guess, and a wrong one gives nothing", async () => {
    const { outcome } = await playOpen({ describer: "stripes", guesser: "tiger" });
    expect(outcome).toMatchObject({ returns: { describer: 0, guesser: 0 }, forfeitedBy: null });
  });

  test.each(["zebra", "ZEBRA", "zebras", "bra", "two words", "", "a".repeat(41)])(
    "%j forfeits without a look into the dictionary",
    async (clue) => {
      const { outcome, calls } = await playOpen({ describer: clue, guesser: "zebra" });
      expect(outcome).toMatchObject({ returns: { describer: -1, guesser: 0 }, forfeitedBy: "describer" });
      expect(calls).toEqual([]);
    },
  );

  test("that the dictionary does not know forfeits", async () => {
    const { outcome } = await playOpen({ describer: "strypes" }, { kind: "output", output: false });
    expect(outcome).toMatchObject({ forfeitedBy: "describer", how: "the clue is not a word" });
  });

  test("is nobody's loss where the dictionary fails: the episode does", async () => {
    const failure: CallOutcome = { kind: "failure", code: "service-failed", message: "gone" };
    await expect(playOpen({ describer: "stripes" }, failure)).rejects.toThrow("the dictionary failed: gone");
  });
});

test.each([
  { what: "no words", task: { ...open, words: [] } },
  { what: "a clue that gives a word away", task: { ...open, clues: ["oboes"] } },
  { what: "two words alike", task: { ...open, words: ["Oboe", "oboe"] } },
  { what: "a word with a space", task: { ...open, words: ["sea horse"] } },
  { what: "no clues", task: { ...open, clues: [] } },
])("a task with $what is refused", async ({ task }) => {
  await expect(nextNode(game, task, [])).rejects.toThrow(/^expected (words|clues) /u);
});

describe("the signalling game", () => {
  let tree: MatchTree;
  beforeAll(async () => {
    tree = await growTree(game, small(3, 2));
  });

  test.each([
    [2, 2],
    [3, 2],
    [2, 3],
    [3, 1],
    [4, 2],
  ])("with %i words and %i clues the best of all pairs of pure policies wins min(m, n) / n", async (n, m) => {
    const grown = await growTree(game, small(n, m));
    const best = Math.max(
      ...pureProfiles(grown).map((profile) => expectedReturns(grown, profile)["guesser"] ?? NaN),
    );
    expectClose(best, Math.min(m, n) / n, tolerances.float64);
  });

  test("replies at random win 1 / n and are an equilibrium; a better convention is one too", () => {
    const uniform = exploitabilityOf(tree, profileOf(tree, uniformBehavior));
    expectClose([uniform.nashConv, uniform.returns["describer"] ?? NaN], [0, 1 / 3], tolerances.float64);
    const convention = exploitabilityOf(
      tree,
      pure(tree, {
        "describer: the secret is A": "x",
        "describer: the secret is B": "y",
        "describer: the secret is C": "y",
        "guesser: the clue is x": "A",
        "guesser: the clue is y": "B",
      }),
    );
    expectClose([convention.nashConv, convention.returns["guesser"] ?? NaN], [0, 2 / 3], tolerances.float64);
  });

  test("a convention that one seat does not keep is none", () => {
    const broken = pure(tree, {
      "describer: the secret is A": "x",
      "describer: the secret is B": "y",
      "describer: the secret is C": "y",
      "guesser: the clue is x": "B",
      "guesser: the clue is y": "A",
    });
    const { nashConv, returns } = exploitabilityOf(tree, broken);
    expect(returns).toEqual({ describer: 0, guesser: 0 });
    expectClose(nashConv, 2 / 3 + 2 / 3, tolerances.float64);
  });
});

function pure(tree: MatchTree, replies: Readonly<Record<string, string>>): Profile {
  return profileOf(tree, ({ key, choices }): Behavior => ({
    choices: Object.fromEntries(choices.map((choice) => [choice, choice === replies[key] ? 1 : 0])),
    illegal: 0,
  }));
}

function pureProfiles(tree: MatchTree): Profile[] {
  let replies: Readonly<Record<string, string>>[] = [{}];
  for (const { key, choices } of tree.informationSets.values())
    replies = replies.flatMap((known) => choices.map((choice) => ({ ...known, [key]: choice })));
  return replies.map((known) => pure(tree, known));
}
