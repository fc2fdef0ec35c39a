/** Games of OpenSpiel and TextArena at the command line, with Python and without. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { standInPython } from "../fixtures/python/stand-in-python.ts";
import { runCommand, type CommandResult } from "../fixtures/cli/spawn-command.ts";
import { python, reasonToSkip } from "./python.ts";

const noOpenSpiel = await reasonToSkip("open-spiel");
const noTextArena = await reasonToSkip("textarena");

let folder = "";
beforeAll(() => void (folder = mkdtempSync(join(tmpdir(), "spar-interoperability-"))));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const spar = (words: readonly string[], replies: readonly string[] = []): Promise<CommandResult> =>
  runCommand(words, { workingFolder: folder, input: replies.map((reply) => `${reply}\n`).join("") });

describe("at the command line", { timeout: 60_000 }, () => {
  test.skipIf(noOpenSpiel !== null)(
    "a perfect player of OpenSpiel's tic-tac-toe is never beaten",
    async () => {
      const cells = ["0,0", "0,1", "0,2", "1,0", "1,1", "1,2", "2,0", "2,1", "2,2"];
      const words = ["play", "open-spiel:tic_tac_toe", "--python", python, "--against", "perfect", "--json"];
      const { code, output, errors } = await spar(
        words,
        cells.map((cell) => `x(${cell})`),
      );
      const end = output.split("\n").find((line) => line.includes('"end"'));
      expect([code, errors]).toEqual([0, ""]);
      expect(JSON.parse(end ?? "{}")).not.toMatchObject({ result: "win" });
    },
  );

  test.skipIf(noOpenSpiel !== null)("an unknown game is refused with one like it", async () => {
    const { code, errors } = await spar(["play", "open-spiel:kuhn_pker", "--python", python]);
    expect([code, errors]).toEqual([2, expect.stringContaining("did you mean kuhn_poker")]);
  });

  test.skipIf(noTextArena !== null)("a person plays a text game of TextArena alone", async () => {
    const guesses = Array.from({ length: 20 }, (_value, index) => `[${index + 1}]`);
    const { code, output, errors } = await spar(
      ["play", "textarena:GuessTheNumber-v0", "--python", python, "--seed", "1"],
      guesses,
    );
    expect([code, errors]).toEqual([0, ""]);
    expect(output).toContain("Game 1: you are player-0\n");
    expect(output).toContain("You have to guess the number between 1 and 20");
  });

  test("without Python the command says what to install", async () => {
    const { code, errors } = await spar(["play", "open-spiel:tic_tac_toe", "--python", join(folder, "none")]);
    expect(code).toBe(4);
    expect(errors).toContain("there is no such program");
    expect(errors).toContain("install Python 3.9 or later");
    const { output } = await spar(["doctor", "--json", "--python", join(folder, "none")]);
    expect(output).toContain("only for games of OpenSpiel and TextArena");
  });

  test.skipIf(process.platform === "win32")(
    "a library without a name is refused before Python starts",
    async () => {
      const { code, errors } = await spar(["play", "textarena:", "--python", standInPython(folder, "ends")]);
      expect([code, errors]).toEqual([2, expect.stringContaining("for example textarena:TicTacToe-v0")]);
    },
  );

  test.skipIf(noOpenSpiel !== null || noTextArena !== null)(
    "doctor tells the versions of both packages",
    async () => {
      const { output } = await spar(["doctor", "--json", "--python", python]);
      expect(output).toContain('"name":"Python package open-spiel","status":"ok"');
      expect(output).toContain('"name":"Python package textarena","status":"ok"');
    },
  );
});
