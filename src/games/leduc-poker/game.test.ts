/** The suite of every game, the rules of Leduc poker, and what is known about its solution. */
import { beforeAll, describe, expect, test } from "vitest";
import { describeGame, expectClose, expectDifferent, printedTo } from "../../testing/index.ts";
import { exploitabilityOf } from "../tree/best-response.ts";
import { growTree, type MatchTree } from "../tree/grow-tree.ts";
import { minimizeRegret } from "../tree/minimize-regret.ts";
import { nextNode } from "../tree/next-node.ts";
import type { TreeNode } from "../tree/nodes.ts";
import { profileOf, uniformBehavior } from "../tree/profiles.ts";
import { game } from "./game.ts";
import { deck, type Card } from "./rules.ts";

const task = { isExplained: false };

describeGame(game, {
  transcript: new URL("transcript.txt", import.meta.url),
  tasks: [{ isExplained: true }, task],
  illegalReplies: ["bet", "all in", "3"],
  secrets: ({ draws }) => [
    { hiddenFrom: "second", words: [String(draws["card of first"])] },
    { hiddenFrom: "first", words: [String(draws["card of second"])] },
  ],
});

/** Where a play stands: the replies of the first round as letters, and those of the second behind the public card. */
function after(cards: readonly [Card, Card, Card], firstRound: string, secondRound?: string) {
  const draws = cards.map((card, index) =>
    deck.filter((one) => !cards.slice(0, index).includes(one)).indexOf(card),
  );
  const later = secondRound === undefined ? [] : [...draws.slice(2), ...secondRound];
  return nextNode(game, task, [...draws.slice(0, 2), ...firstRound, ...later]);
}

/** What the first seat gets, and how it ended. */
function ending(node: TreeNode) {
  if (node.kind !== "end") return node.kind;
  const { returns, how } = node.outcome;
  expect((returns["first"] ?? NaN) + (returns["second"] ?? NaN)).toBe(0);
  return `${returns["first"]}: ${how}`;
}

describe("the rules", () => {
  test("only who faces a raise may fold, and a third raise is not offered", async () => {
    const offered = async (replies: string) => {
      const node = await after(["Js", "Qs", "Ks"], replies);
      return node.kind === "decision" ? `${node.seat}: ${node.choices.join("")}` : node.kind;
    };
    expect(await offered("")).toBe("first: cr");
    expect(await offered("c")).toBe("second: cr");
    expect(await offered("r")).toBe("second: fcr");
    expect(await offered("cr")).toBe("first: fcr");
    expect(await offered("crr")).toBe("second: fc");
    expect(await offered("crrc")).toBe("chance");
    expect(await offered("cc")).toBe("chance");
  });

  test("the second round has two raises of its own, and first opens it again", async () => {
    expect(await after(["Js", "Qs", "Ks"], "crrc", "")).toMatchObject({ seat: "first", choices: ["c", "r"] });
    expect(await after(["Js", "Qs", "Ks"], "rrc", "rr")).toMatchObject({
      seat: "first",
      choices: ["f", "c"],
    });
  });

  test("a fold where nothing was raised and a third raise forfeit the most a seat can lose", async () => {
    for (const [replies, seat] of [
      ["f", "first"],
      ["cf", "second"],
      ["rrr", "first"],
    ] as const) {
      const node = await after(["Js", "Qs", "Ks"], replies);
      expect(node).toMatchObject({ kind: "end", outcome: { forfeitedBy: seat, returns: { [seat]: -13 } } });
    }
  });

  test("who folds loses what it has paid, whatever the cards are", async () => {
    expect(ending(await after(["Ks", "Js", "Kh"], "rf"))).toBe("1: the other folded");
    expect(ending(await after(["Ks", "Js", "Kh"], "rrf"))).toBe("-3: the other folded");
    expect(ending(await after(["Ks", "Js", "Kh"], "rrc", "crf"))).toBe("-5: the other folded");
    expect(ending(await after(["Ks", "Js", "Kh"], "rrc", "rrf"))).toBe("-9: the other folded");
  });

  test("the pair wins, else the higher card, and equal ranks share the pot", async () => {
    expect(ending(await after(["Js", "Ks", "Jh"], "cc", "cc"))).toBe("1: a pair");
    expect(ending(await after(["Ks", "Qs", "Qh"], "rc", "rc"))).toBe("-7: a pair");
    expect(ending(await after(["Ks", "Qs", "Jh"], "rrc", "rrc"))).toBe("13: the higher card");
    expect(ending(await after(["Js", "Qs", "Ks"], "cc", "crc"))).toBe("-5: the higher card");
    expect(ending(await after(["Qs", "Qh", "Js"], "rrc", "rrc"))).toBe("0: equal ranks");
  });

  test.each([
    ["Fold.", "f"],
    ["I fold", null],
    ["Call, I have a king", "c"],
    [" check", "c"],
    ["RAISE", "r"],
    ["rc", null],
    ["", null],
  ])("%j is read as %j", async (reply, letter) => {
    const draws = [0, 1, "r"];
    const said = await nextNode(game, task, [...draws, reply]);
    if (letter === null) expect(said).toMatchObject({ outcome: { forfeitedBy: "second" } });
    else expect(said).toEqual(await nextNode(game, task, [...draws, letter]));
  });
});

test("the end shows all cards, which nobody saw before", async () => {
  const shown = (rest: string) => ({
    outcome: { final: `first holds Ks, second holds Qh; ${rest}` },
  });
  expect(await after(["Ks", "Qh", "Qs"], "rf")).toMatchObject(shown("first round: raise fold"));
  expect(await after(["Ks", "Qh", "Qs"], "cc", "cc")).toMatchObject(
    shown("first round: check check; public Qs, second round: check check"),
  );
});

describe("exact analysis", () => {
  let tree: MatchTree;

  beforeAll(async () => {
    tree = await growTree(game, task);
  });

  test("there are 936 information sets, half of them of either seat", () => {
    const seats = [...tree.informationSets.values()].map(({ seat }) => seat);
    expect(seats).toHaveLength(936);
    expect(seats.filter((seat) => seat === "first")).toHaveLength(468);
  });

  test("uniform play is as far from an equilibrium as OpenSpiel says", () => {
    const { nashConv } = exploitabilityOf(tree, profileOf(tree, uniformBehavior));
    expectClose(nashConv, 4.747222, printedTo(6));
    expectDifferent(nashConv + 1e-5, 4.747222, printedTo(6));
  });

  test("near an equilibrium the first seat gets about -0.0856 chips", async () => {
    const { nashConv, returns, profile } = await minimizeRegret(tree, { targetNashConv: 5e-3 });
    // Perfect answers enclose the value.
    const { bestResponses } = exploitabilityOf(tree, profile);
    expect(nashConv).toBeLessThanOrEqual(5e-3);
    expect(bestResponses["first"]?.value).toBeGreaterThan(-0.0856);
    expect(bestResponses["second"]?.value).toBeGreaterThan(0.0856);
    expectClose(returns["first"] ?? NaN, -0.0856, printedTo(3));
    const afterOne = await minimizeRegret(tree, { maximumIterations: 1 });
    expectDifferent(afterOne.returns["first"] ?? NaN, -0.0856, printedTo(3));
    expect(afterOne.nashConv).toBeGreaterThan(1);
    // Some hundred iterations over the whole tree: seconds, and more where others compute as well.
  }, 120_000);
});
