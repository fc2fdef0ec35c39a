/** Sitting down at a game with the real command: as a program, at a real terminal, and against the result of a run. */
import { spawn, spawnSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { runCommand, type CommandOptions, type CommandResult } from "../fixtures/cli/spawn-command.ts";
import { exitCodes } from "../../src/cli/exit-codes.ts";

const fixture = (name: string): string => fileURLToPath(new URL(`../fixtures/cli/${name}`, import.meta.url));
const entry = fileURLToPath(new URL("../../src/cli/main.ts", import.meta.url));

let folder = "";
beforeAll(() => void (folder = mkdtempSync(join(tmpdir(), "spar-play-"))));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function play(
  words: readonly string[],
  replies: readonly string[],
  more: Partial<CommandOptions> = {},
): Promise<CommandResult> {
  const input = replies.map((reply) => `${reply}\n`).join("");
  return runCommand(["play", ...words], { workingFolder: folder, input, ...more });
}

interface TableEvent {
  readonly event: string;
  readonly [member: string]: unknown;
}

const eventsOf = ({ output }: CommandResult): TableEvent[] =>
  output
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line) as TableEvent);

describe.concurrent("spar play", { timeout: 60_000 }, () => {
  test("shows the rules, the board, legal replies, and who won", async () => {
    const { code, output } = await play(
      ["tic-tac-toe", "--seed", "3"],
      ["5", "?", "x", "9", "2", "3", "4", "6", "7", "8"],
    );
    expect(code).toBe(exitCodes.ok.code);
    expect(output).toContain("Three marks in a row, column or diagonal win");
    expect(output).toContain("Game 1: you are X, against a player of random legal replies");
    expect(output).toContain(
      "1 2 3\n4 5 6\n7 8 9\nYou are X: one of 1, 2, 3, 4, 5, 6, 7, 8, 9 (? shows the rules)",
    );
    expect(output).toMatch(/O replies \d\n\n.*\n[4O] X [6O]\n/u);
    expect(output).toContain('"x" is no reply here');
    // The board with the last move stands above who won.
    expect(output).toMatch(
      /\n\n(?:[XO\d] [XO\d] [XO\d]\n){3}\n(?:You (?:win|lose): three in a row|A draw: the board is full)\n/u,
    );
  });

  test("a perfect player never loses, and seats change from game to game", async () => {
    const replies = Array.from({ length: 4 }, () => ["1", "2", "3", "4", "5", "6", "7", "8", "9"]).flat();
    const result = await play(["tic-tac-toe", "--against", "perfect", "--games", "2", "--json"], replies);
    const events = eventsOf(result);
    expect(events.filter(({ event }) => event === "start").map(({ seat }) => seat)).toEqual(["X", "O"]);
    for (const end of events.filter(({ event }) => event === "end")) expect(end["result"]).not.toBe("win");
    expect(events.at(-1)).toMatchObject({ event: "score", won: 0 });
  });

  test("with hidden information a perfect player mixes its replies as an equilibrium does", async () => {
    const words = ["kuhn-poker", "--against", "perfect", "--seat", "second", "--seed", "4", "--json"];
    // The person always passes: an equilibrium bets with K, and now and then with J.
    const replies = Array.from({ length: 120 }, () => "p");
    const result = await play([...words, "--games", "60"], replies);
    expect([result.code, result.errors]).toEqual([exitCodes.ok.code, ""]);
    const events = eventsOf(result);
    expect(events[0]?.["opponent"]).toMatch(/^an equilibrium player, NashConv 0\.000\d$/u);
    const texts = events.flatMap(({ event, isPerson, text }) =>
      event === "reply" && isPerson === false ? [text] : [],
    );
    expect(new Set(texts)).toEqual(new Set(["p", "b"]));
    expect(events.at(-1)).toMatchObject({ event: "score" });
  });

  test("programs get a JSON object per line; what others reply is secret to people, not to them", async () => {
    const words = ["kuhn-poker", "--seat", "second", "--seed", "2"];
    const events = eventsOf(await play([...words, "--json"], ["b", "b"]));
    expect(events[0]).toMatchObject({ event: "start", game: "kuhn-poker", seat: "second" });
    const asked = events.find(({ event }) => event === "ask");
    expect(asked).toMatchObject({ seat: "second", choices: ["p", "b"] });
    const end = events.find(({ event }) => event === "end");
    expect(Object.values(end?.["returns"] as Record<string, number>).reduce((sum, one) => sum + one)).toBe(0);
    const { output } = await play(words, ["b", "b"]);
    const [before = "", after = ""] = output.split(/You (?:win|lose)/u);
    expect(before.indexOf("first replies"), "told after the last ask").toBeGreaterThan(
      before.lastIndexOf("You are second"),
    );
    expect(after).toMatch(/first [+-]\d, second [+-]\d/u);
    const told = before.indexOf("first holds");
    expect(told, "both cards are told, at the end").toBeGreaterThan(before.lastIndexOf("You are second"));
    expect(end?.["final"]).toBe(/first holds .*/u.exec(before)?.[0]);
  });

  test("the same seed and replies are the same game", async () => {
    const games = [1, 2].map(() =>
      play(["tic-tac-toe", "--seed", "9"], ["1", "2", "3", "4", "5", "6", "7", "8", "9"]),
    );
    const [first, second] = await Promise.all(games);
    expect(second?.output).toBe(first?.output);
  });

  test("an input that ends in the middle of a game is missing input", async () => {
    const { code, errors } = await play(["tic-tac-toe"], ["5"]);
    expect(code).toBe(exitCodes.input.code);
    expect(errors).toContain("the input ended while seat X was to reply");
  });

  test("nonsense without end is a forfeit", async () => {
    const { code, output } = await play(
      ["tic-tac-toe"],
      Array.from({ length: 6 }, () => "\u0007castle"),
    );
    expect(code).toBe(exitCodes.ok.code);
    expect(output).toContain("You lose by forfeit: unreadable reply");
    expect(output).not.toContain("\u0007");
  });

  test.each([
    { words: ["tic-tac-to"], says: 'did you mean "tic-tac-toe"?' },
    { words: ["tic-tac-toe", "--seat", "Y"], says: 'has no seat "Y"' },
    { words: ["tic-tac-toe", "--task", "{"], says: "expected the task as JSON" },
    {
      words: ["word-clue", "--against", "perfect"],
      says: "word-clue cannot be solved: expected returns that add",
    },
    { words: ["tic-tac-toe", "--against", "http://127.0.0.1:1/v1"], says: "add --model" },
  ])("$words is refused", async ({ words, says }) => {
    const { code, errors } = await play(words, []);
    expect(errors).toContain(says);
    expect(code).toBe(exitCodes.usage.code);
  });

  test("a model behind an address is an opponent; its key comes from the environment and is not shown", async () => {
    const keys: (string | undefined)[] = [];
    let next = 9;
    const server = createServer((request, response) => {
      keys.push(request.headers.authorization);
      request.resume().on("end", () => {
        const message = { role: "assistant", content: `I take ${next--}\u001b[2J` };
        const choices = [{ index: 0, message, finish_reason: "stop" }];
        response.writeHead(200, { "content-type": "application/json" }).end(JSON.stringify({ choices }));
      });
    });
    await new Promise<void>((resolve) => void server.listen(0, "127.0.0.1", resolve));
    const address = `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1`;
    const words = ["tic-tac-toe", "--against", address, "--model", "tiny"];
    const { code, output, errors } = await play(words, ["1", "2", "3"], {
      environment: { SPAR_API_KEY: "sk-mine" },
    });
    server.close();
    expect(code, errors).toBe(exitCodes.ok.code);
    expect(output).toContain("against tiny at http://127.0.0.1");
    expect(output).toContain("O replies I take 9\\u001b[2J");
    expect(output).toContain("You win: three in a row");
    expect(keys).toEqual(["Bearer sk-mine", "Bearer sk-mine"]);
    expect(output + errors).not.toContain("sk-mine");
    const gone = await play(words, ["1"]);
    expect([gone.code, gone.errors]).toEqual([
      exitCodes.environment.code,
      expect.stringContaining("the connection was refused"),
    ]);
  });
});

describe("against the result of a run", { timeout: 60_000 }, () => {
  beforeAll(async () => {
    const words = ["run", fixture("games-recipe.ts"), "--engine", fixture("engine.ts"), "--name", "table"];
    const { code, output, errors } = await runCommand(words, { workingFolder: folder });
    expect(code, errors).toBe(0);
    expect(output, "what to do next").toContain("play tic-tac-toe --against table");
    const letters = ["run", fixture("recipe.ts"), "--engine", fixture("engine.ts"), "--name", "letters"];
    await runCommand(letters, { workingFolder: folder });
  }, 60_000);

  test("each seat is held by the policy that sat there, in its last version, on the task of the run", async () => {
    const events = eventsOf(
      await play(
        ["tic-tac-toe", "--against", "table", "--games", "2", "--json"],
        "123456789123456789".split(""),
      ),
    );
    const starts = events.filter(({ event }) => event === "start");
    expect(starts.map(({ opponent }) => opponent)).toEqual([
      "policy-o of table, version 2",
      "policy-x of table, version 2",
    ]);
    const asked = events.find(({ event }) => event === "ask");
    expect(asked?.["prompt"]).toEqual([{ kind: "text", role: "user", text: "X" }]);
  });

  test("a version and a policy can be named", async () => {
    const words = [
      "tic-tac-toe",
      "--against",
      "table",
      "--policy",
      "policy-x",
      "--policy-version",
      "1",
      "--json",
    ];
    const [start] = eventsOf(await play(words, "123456789".split("")));
    expect(start?.["opponent"]).toBe("policy-x of table, version 1");
    const absent = await play([...words.slice(0, -2), "7"], []);
    expect([absent.code, absent.errors]).toEqual([
      exitCodes.input.code,
      expect.stringContaining("has kept no version 7 of policy-x"),
    ]);
  });

  test("a run that has not played the game is refused with what it has played", async () => {
    const { code, errors } = await play(["tic-tac-toe", "--against", "letters"], []);
    expect([code, errors]).toEqual([
      exitCodes.input.code,
      expect.stringContaining("it has played continuation"),
    ]);
  });
});

const hasScript = process.platform === "linux" && spawnSync("script", ["--version"]).status === 0;
const noScript = "the program script of util-linux, which gives a command a terminal, is not here";

/** Types at a real terminal, each time when the words have come. */
function atTerminal(
  words: readonly string[],
  typing: readonly { readonly after: string; readonly type: string }[],
): Promise<{ readonly code: number | null; readonly shown: string }> {
  const command = [process.execPath, "--conditions=source", entry, "play", ...words].join(" ");
  const child = spawn("script", ["--quiet", "--return", "--command", command, "/dev/null"], {
    cwd: folder,
    env: { PATH: process.env["PATH"], TERM: "xterm", NO_COLOR: "1" },
  });
  const left = [...typing];
  let shown = "";
  let since = 0;
  child.stdout.setEncoding("utf8").on("data", (text: string) => {
    shown += text;
    const [next] = left;
    if (next === undefined || !shown.slice(since).includes(next.after)) return;
    left.shift();
    since = shown.length;
    child.stdin.write(next.type);
  });
  return new Promise((resolve, reject) => {
    child.on("error", reject);
    child.on("close", (code) => resolve({ code, shown }));
  });
}

describe.concurrent("at a terminal", { timeout: 60_000 }, () => {
  test("a person plays, is offered another game in the other seat, and declines", async (task) => {
    if (!hasScript) task.skip(noScript);
    const { code, shown } = await atTerminal(
      ["kuhn-poker", "--seed", "1"],
      [
        { after: "(? shows the rules)", type: "b\n" },
        { after: "Another game", type: "\n" },
        { after: "(? shows the rules)", type: "b\n" },
        { after: "Another game", type: "n\n" },
      ],
    );
    expect(shown).toContain("Game 2: you are second");
    expect(shown).toMatch(/So far: \d won, 0 drawn, \d lost/u);
    expect(code).toBe(exitCodes.ok.code);
  });

  test("solving shows how it gets on, and the end shows the cards of both", async (task) => {
    if (!hasScript) task.skip(noScript);
    const { code, shown } = await atTerminal(
      ["kuhn-poker", "--against", "perfect", "--games", "1", "--seat", "second"],
      [
        { after: "(? shows the rules)", type: "b\n" },
        { after: "(? shows the rules)", type: "b\n" },
      ],
    );
    expect(shown).toMatch(/solving kuhn-poker, \d+ iterations, NashConv 0\.\d{4}/u);
    expect(shown).toMatch(/against an equilibrium player, NashConv 0\.000\d/u);
    expect(shown).toMatch(/first holds [JQK], second holds [JQK]: (?:pass|bet), bet/u);
    expect(code).toBe(exitCodes.ok.code);
  });

  test.for([
    { key: "ctrl-C", type: "\u0003", code: exitCodes.interrupted.code },
    { key: "ctrl-D", type: "\u0004", code: exitCodes.ok.code },
  ])("$key leaves in the middle of a game, with a word and code $code", async ({ type, code }, task) => {
    if (!hasScript) task.skip(noScript);
    const typed = [
      { after: "(? shows the rules)", type: "5\n" },
      { after: "(? shows the rules)", type },
    ];
    const left = await atTerminal(["tic-tac-toe", "--seed", "1"], typed);
    expect(left.shown).toContain("you left the table; an unfinished game counts for nothing");
    expect(left.code).toBe(code);
  });
});
