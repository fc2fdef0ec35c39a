/** What a new user types wrong, against the real command: one clear message, one hint, the documented exit code. */
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { availableParallelism, tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { runCommand, type CommandResult } from "../fixtures/cli/spawn-command.ts";
import { exitCodes, type ExitName } from "../../src/cli/exit-codes.ts";

const fixture = (name: string): string => fileURLToPath(new URL(`../fixtures/cli/${name}`, import.meta.url));
const recipe = fixture("recipe.ts");
const letters = [recipe, "--engine", fixture("engine.ts")];

let folder = "";

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "spar-cli-"));
  mkdirSync(join(folder, "runs", "no-run"), { recursive: true });
  mkdirSync(join(folder, "runs", "cut"), { recursive: true });
  writeFileSync(join(folder, "runs", "cut", "run.json"), '{"recordsVersion":');
  symlinkSync("loop", join(folder, "loop"));
});

afterAll(() => rmSync(folder, { recursive: true, force: true }));

function spar(...words: readonly string[]): Promise<CommandResult> {
  return runCommand(words, { workingFolder: folder });
}

interface BadInput {
  readonly words: readonly string[];
  readonly exit: ExitName;
  /** What the message must say, the hint included. */
  readonly says: readonly (string | RegExp)[];
}

const cases: Readonly<Record<string, BadInput>> = {
  "an unknown command": {
    words: ["rnu"],
    exit: "usage",
    says: ["unknown command 'rnu'", "did you mean run?"],
  },
  "an unknown flag": { words: ["list", "--jsn"], exit: "usage", says: ["'--jsn'", "did you mean --json?"] },
  "a missing argument": { words: ["run"], exit: "usage", says: ["missing required argument 'recipe'"] },
  "an unknown executor of an engine": {
    words: ["run", recipe, "--engine", "embedded:nativ"],
    exit: "usage",
    says: ['no engine is called "embedded:nativ"', "embedded:native"],
  },
  "an unknown recipe": {
    words: ["run", "spni"],
    exit: "usage",
    says: ['no recipe is called "spni"', "./spni.ts"],
  },
  "a recipe file that is not there": {
    words: ["run", "./mine.ts"],
    exit: "input",
    says: ["no recipe file at", "mine.ts"],
  },
  "a file that is no recipe": {
    words: ["run", fixture("engine.ts")],
    exit: "input",
    says: ["does not export a recipe"],
  },
  "a file with half a recipe": {
    words: ["run", fixture("half-recipe.ts")],
    exit: "input",
    says: ["it lacks presets, needs, plan, run"],
  },
  "a recipe file that fails": {
    words: ["plan", fixture("broken-recipe.ts")],
    exit: "input",
    says: ["cannot be loaded: the top of the file failed"],
  },
  "an unknown preset": {
    words: ["run", ...letters, "--preset", "nan"],
    exit: "usage",
    says: ['has no preset "nan"', 'did you mean "nano"?'],
  },
  "an unknown engine": {
    words: ["run", recipe, "--engine", "embeded"],
    exit: "usage",
    says: ['no engine is called "embeded"', 'did you mean "embedded"?'],
  },
  "a preset whose engine is not here": {
    words: ["run", recipe, "--preset", "elsewhere"],
    exit: "environment",
    says: ["preset elsewhere of letters wants engine cluster, which this version does not have", "embedded"],
  },
  "a planned engine that is asked for by name": {
    words: ["run", recipe, "--engine", "cluster"],
    exit: "environment",
    says: ["engine cluster is planned, this version does not have it", "embedded:native"],
  },
  "a plan for an unknown engine": {
    words: ["plan", recipe, "--engine", "embeded"],
    exit: "usage",
    says: ['no engine is called "embeded"', 'did you mean "embedded"?'],
  },
  "an engine without what is needed": {
    words: ["run", recipe, "--engine", fixture("small-engine.ts")],
    exit: "environment",
    says: ["needs: optimizer:adam", /engines that have it: .*embedded/u],
  },
  "an unknown option": {
    words: ["run", ...letters, "--set", "updateCont=3"],
    exit: "usage",
    says: ['no option "updateCont"', 'did you mean "updateCount"?'],
  },
  "an option of the wrong type": {
    words: ["run", ...letters, "--set", "updateCount=many"],
    exit: "usage",
    says: ['expected a whole number above 0, got "many"'],
  },
  "an option out of range": {
    words: ["plan", ...letters, "--set", "learningRate=-1"],
    exit: "usage",
    says: ['expected a number above 0, got "-1"'],
  },
  "an option with a unit": {
    words: ["plan", ...letters, "--set", "updateCount=5k"],
    exit: "usage",
    says: ['got "5k"', "in updates: give a plain number"],
  },
  "options that do not fit each other": {
    words: ["run", ...letters, "--set", "failAtUpdate=9"],
    exit: "usage",
    says: ["failAtUpdate must be at most updateCount, got 9"],
  },
  "a seed that is no number": {
    words: ["run", ...letters, "--seed", "x"],
    exit: "usage",
    says: ["'--seed <number>'", "'x'"],
  },
  "an input file that is not there": {
    words: ["run", ...letters, "--set", "data=none.jsonl"],
    exit: "input",
    says: ["not there: none.jsonl"],
  },
  "a list with a wrong member": {
    words: ["plan", "spin", "--set", "betas=[0]"],
    exit: "usage",
    says: ['expected a list of numbers above 0 in JSON and at least 1 long, such as [1, 2], got "[0]"'],
  },
  "a list with an unknown choice": {
    words: ["plan", "spin", "--set", 'annotations.operators=["^"]'],
    exit: "usage",
    says: ['expected a list of "+", "-", "*", "/" in JSON'],
  },
  "an architecture that no engine builds": {
    words: ["run", "spin", "--set", "architecture.width=10", "--set", "architecture.headCount=1"],
    exit: "usage",
    says: ["width must be headCount times a multiple of 4, got width 10 and headCount 1"],
  },
  "the same control twice": {
    words: ["run", "spin", "--set", 'controls=["equal-time","equal-time"]'],
    exit: "usage",
    says: ["controls must name each control once"],
  },
  "data without a name": {
    words: ["plan", "spin", "--set", "data="],
    exit: "usage",
    says: ["data must name where prompts come from"],
  },
  "data on the hub without a name": {
    words: ["plan", "spin", "--set", "data=hf://"],
    exit: "usage",
    says: ["expected hf://owner/name"],
  },
  "first pairs that are not there": {
    words: ["run", "spin", "--set", "firstPairs=none.jsonl"],
    exit: "input",
    says: ["none.jsonl: there is no such file"],
  },
  "more threads than a machine can use": {
    words: ["run", ...letters, "--threads", "999"],
    exit: "usage",
    says: ["'--threads <count>'", `at most ${4 * availableParallelism()}`],
  },
  "a name that no folder can have": {
    words: ["run", ...letters, "--name", "n".repeat(300)],
    exit: "usage",
    says: ["expected a name of at most 100 letters", "got one of 300"],
  },
  "a name beside a folder": {
    words: ["run", ...letters, "--name", "a", "--run-folder", "b"],
    exit: "usage",
    says: ["'--run-folder <folder>' cannot be used with option '--name <name>'"],
  },
  "a folder whose name is too long": {
    words: ["run", ...letters, "--run-folder", "n".repeat(300)],
    exit: "storage",
    says: ["the name is too long"],
  },
  "a folder below a link to itself": {
    words: ["run", ...letters, "--run-folder", "loop/run"],
    exit: "storage",
    says: ["a link in the path leads back to itself", "choose another folder"],
  },
  "records of one policy": {
    words: ["export", "cut", "--what", "records", "--policy", "nope"],
    exit: "usage",
    says: ["expected no --policy beside --what records"],
  },
  "a run whose name is too long": {
    words: ["resume", "n".repeat(300)],
    exit: "input",
    says: [`no run is called "${"n".repeat(100)}..."`],
  },
  "a run that does not exist": {
    words: ["resume", "nothing"],
    exit: "input",
    says: ['no run is called "nothing"'],
  },
  "a folder that is not a run": {
    words: ["resume", "no-run"],
    exit: "input",
    says: ["is not the folder of a run"],
  },
  "a run whose description is cut": {
    words: ["sample", "cut", "--prompt", "a"],
    exit: "input",
    says: ["run.json"],
  },
  "an unknown help topic": {
    words: ["help", "exit-code"],
    exit: "usage",
    says: ['did you mean "exit-codes"?'],
  },
};

describe.concurrent("bad input", { timeout: 60_000 }, () => {
  for (const [name, { words, exit, says }] of Object.entries(cases)) {
    test(`${name} is refused with what to do`, async () => {
      const { code, output, errors } = await spar(...words);
      for (const part of says) expect(errors).toMatch(part);
      expect(errors).not.toMatch(/^\s+at /mu);
      expect(output).toBe("");
      expect(code).toBe(exitCodes[exit].code);
    });
  }

  test("a stack trace is shown where it was asked for", async () => {
    const words = ["plan", fixture("broken-recipe.ts")];
    expect((await spar(...words, "--verbose")).errors).toMatch(/broken-recipe\.ts:\d+/u);
    const environment = { SPAR_DEBUG: "1" };
    expect((await runCommand(words, { workingFolder: folder, environment })).errors).toMatch(
      /broken-recipe\.ts:\d+/u,
    );
  });

  test("a run that fails before its first step leaves no folder", async () => {
    const target = join(folder, "runs", "failed");
    const { code, errors } = await spar(
      "run",
      recipe,
      "--engine",
      fixture("failing-engine.ts"),
      "--name",
      "failed",
    );
    expect(code).toBe(exitCodes.failed.code);
    expect(errors).toMatch(/^error: /u);
    expect(existsSync(target)).toBe(false);
  });

  test("a run that trained nothing leaves no folder, and advises no resume", async () => {
    const failing = (update: string): Promise<CommandResult> =>
      spar("run", ...letters, "--set", `failAtUpdate=${update}`, "--name", `fails-at-${update}`);
    const [early, late] = await Promise.all([failing("1"), failing("2")]);
    expect([early.code, late.code]).toEqual([exitCodes.failed.code, exitCodes.failed.code]);
    expect(existsSync(join(folder, "runs", "fails-at-1"))).toBe(false);
    expect(early.errors).not.toMatch(/resume/u);
    expect(existsSync(join(folder, "runs", "fails-at-2"))).toBe(true);
    expect(late.errors).toMatch(/what was finished is kept; go on with: .*resume fails-at-2/u);
  });

  test("a run that would fail again is kept to look into, and not to be resumed", async () => {
    const { code, errors } = await spar(
      "run",
      ...letters,
      "--set",
      "learningRate=1e200",
      "--name",
      "diverged",
    );
    expect(code).toBe(exitCodes.failed.code);
    expect(errors).toMatch(/its weights are useless\nhint: .*lower the learning rate/u);
    expect(errors).toMatch(/is kept: .*replay diverged; a resumed run would end in the same way/u);
    expect(errors).not.toMatch(/ resume /u);
  });

  test.skipIf(!existsSync("/proc/self"))("a folder that can never be made is refused at once", async () => {
    for (const path of ["/proc/spar", "/proc/spar/run"]) {
      const { code, errors } = await spar("run", ...letters, "--run-folder", path);
      expect(errors).toMatch(/cannot use \/proc\/spar: it is not there and cannot be made/u);
      expect(code).toBe(exitCodes.storage.code);
    }
  });

  test("an existing folder is refused and not touched", async () => {
    const before = readdirSync(join(folder, "runs", "no-run"));
    const { code, errors } = await spar("run", ...letters, "--name", "no-run");
    expect([code, readdirSync(join(folder, "runs", "no-run"))]).toEqual([exitCodes.usage.code, before]);
    expect(errors).toMatch(/no-run exists/u);
  });
});

describe.concurrent("asking for help", { timeout: 60_000 }, () => {
  test("no arguments print the commands", async () => {
    const { code, output } = await spar();
    expect(code).toBe(exitCodes.ok.code);
    for (const command of ["run", "resume", "plan", "list", "sample", "replay", "export", "doctor"]) {
      expect(output).toMatch(new RegExp(`^  ${command} `, "mu"));
    }
  });

  test("every command explains itself", async () => {
    const { code, output } = await spar("help", "run");
    expect(code).toBe(exitCodes.ok.code);
    expect(output).toMatch(/--preset[\s\S]*--set[\s\S]*--seed/u);
    expect((await spar("run", "--help")).output).toBe(output);
  });

  test("the exit codes are listed", async () => {
    const { output } = await spar("help", "exit-codes");
    for (const { code, name } of Object.values(exitCodes))
      expect(output).toMatch(new RegExp(`^ *${code}  ${name} `, "mu"));
  });
});
