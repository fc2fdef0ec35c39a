import { expect, test } from "vitest";
import { describePlayer, expectCode, playerRequest } from "../testing/index.ts";
import { humanPlayer, type HumanPlayerOptions, type LineTerminal } from "./human-player.ts";
import type { PlayerRequest } from "./player.ts";

/** A person who types these lines and then closes the terminal. */
class Typist implements LineTerminal {
  readonly shown: string[] = [];
  readonly #lines: string[];

  constructor(lines: readonly string[]) {
    this.#lines = [...lines];
  }

  show(...lines: readonly string[]): void {
    this.shown.push(...lines);
  }

  async readLine(): Promise<string | null> {
    return this.#lines.shift() ?? null;
  }
}

const request = (more: Partial<PlayerRequest> = {}): PlayerRequest =>
  playerRequest({
    seat: "X",
    segments: [{ kind: "text", role: "user", text: "the prompt of a model" }],
    choices: ["1", "2", "Pass"],
    position: "X O 3",
    seed: 5,
    ...more,
  });

async function sit(
  lines: readonly string[],
  { more = {}, asked = {} }: { more?: Partial<HumanPlayerOptions>; asked?: Partial<PlayerRequest> } = {},
): Promise<{ texts: string[]; shown: string[] }> {
  const terminal = new Typist(lines);
  const replies = await humanPlayer({ terminal, rules: "three in a row", ...more }).reply(request(asked), {});
  return {
    texts: replies.map((reply) => (reply.kind === "reply" ? reply.text : reply.kind)),
    shown: terminal.shown,
  };
}

describePlayer({
  name: "a person",
  createPlayer: () => humanPlayer({ terminal: new Typist(Array.from({ length: 99 }, () => "a")) }),
  createWaitingPlayer: () =>
    humanPlayer({
      terminal: { show: () => undefined, readLine: () => new Promise<never>(() => undefined) },
    }),
  isDeterministic: true,
});

test("a person sees the position, who they are and what they may reply, not the prompt of models", async () => {
  const { texts, shown } = await sit(["2"]);
  expect(texts).toEqual(["2"]);
  expect(shown).toEqual(["X O 3", "You are X: one of 1, 2, Pass (? shows the rules)"]);
  expect((await sit(["2"], { asked: { position: null } })).shown[0]).toBe("the prompt of a model");
});

test("blanks and capitals are forgiven", async () => {
  expect((await sit(["  pass "])).texts).toEqual(["Pass"]);
  expect(
    (await sit(["A"], { asked: { choices: ["a", "A"] } })).texts,
    "unless they tell replies apart",
  ).toEqual(["A"]);
});

test("nonsense is asked for again with what was expected, then the game gets it as it is", async () => {
  const { texts, shown } = await sit(["9", "", "two", "2"]);
  expect(texts).toEqual(["2"]);
  expect(shown.slice(2)).toEqual([
    '"9" is no reply here: one of 1, 2, Pass (? shows the rules)',
    "an empty line is no reply here: one of 1, 2, Pass (? shows the rules)",
    '"two" is no reply here: one of 1, 2, Pass (? shows the rules)',
  ]);
  expect((await sit(["7", "8", "9", "2"], { more: { maximumTries: 2 } })).texts).toEqual(["9"]);
});

test("a question mark shows the rules and costs no try", async () => {
  const { texts, shown } = await sit(["?", "?", "?", "1"], { more: { maximumTries: 1 } });
  expect(texts).toEqual(["1"]);
  expect(shown.filter((line) => line === "three in a row")).toHaveLength(3);
});

test("where the game lists no replies any line but an empty one is one", async () => {
  expect((await sit(["", "a word"], { asked: { choices: null } })).texts).toEqual(["a word"]);
});

test("siblings are asked for one after another; a forced beginning is shown and kept", async () => {
  const { texts, shown } = await sit(["1", "2"], { asked: { count: 2, force: "move " } });
  expect(texts).toEqual(["move 1", "move 2"]);
  expect(shown).toContain("reply 2 of 2");
  expect(shown).toContain("your reply begins with: move ");
});

test("a terminal that is closed ends the game with its own code, and what was pasted is quoted short", async () => {
  const error = await expectCode(sit([]), "input-closed");
  expect(error.message).toBe("the input ended while seat X was to reply");
  const { shown } = await sit(["\u001b[2J".repeat(100_000), "1"]);
  expect(shown[2]?.length).toBeLessThan(450);
  expect(shown[2]).not.toContain("\u001b");
});
