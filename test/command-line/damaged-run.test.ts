/**
 * Runs that are damaged, closed to the reader, still going on or finished, against the real command:
 * nothing wrong is shown as if it were right, and who only reads needs no permission to write.
 */
import { spawnSync } from "node:child_process";
import {
  chmodSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { runCommand, type CommandOptions, type CommandResult } from "../fixtures/cli/spawn-command.ts";
import { exitCodes } from "../../src/cli/exit-codes.ts";

const fixture = (name: string): string => fileURLToPath(new URL(`../fixtures/cli/${name}`, import.meta.url));

let folder = "";
const runPath = (...parts: readonly string[]): string => join(folder, "runs", ...parts);

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "spar-cli-"));
  chmodSync(folder, 0o755);
  const words = ["run", fixture("recipe.ts"), "--engine", fixture("engine.ts"), "--name", "good"];
  expect((await spar(words)).code).toBe(0);
}, 60_000);

afterAll(() => rmSync(folder, { recursive: true, force: true }));

function spar(words: readonly string[], options: Partial<CommandOptions> = {}): Promise<CommandResult> {
  return runCommand(words, { workingFolder: folder, ...options });
}

/** A copy of a good run that was damaged. */
function damaged(name: string, damage: (run: string) => void, good = "good"): string {
  cpSync(runPath(good), runPath(name), { recursive: true });
  damage(runPath(name));
  return name;
}

/** Every file of this name in the checkpoints. */
function filesOf(run: string, name: string): string[] {
  return readdirSync(join(run, "checkpoints"))
    .map((checkpoint) => join(run, "checkpoints", checkpoint, name))
    .filter((path) => existsSync(path));
}

function forEach(name: string, damage: (path: string) => void): (run: string) => void {
  return (run) => {
    const paths = filesOf(run, name);
    expect(paths.length).toBeGreaterThan(0);
    paths.forEach(damage);
  };
}

const flipByte = (path: string): void => {
  const bytes = readFileSync(path);
  const middle = bytes.length >> 1;
  bytes[middle] = (bytes[middle] ?? 0) ^ 1;
  writeFileSync(path, bytes);
};

/** Where the fake engine keeps its weights. */
const stateFile = "fake-model.json";
const damages: Readonly<Record<string, (run: string) => void>> = {
  "a flipped bit in the weights": forEach(stateFile, flipByte),
  "weights that are cut": forEach(stateFile, (path) => truncateSync(path, 100)),
  "weights that are missing": forEach(stateFile, (path) => rmSync(path)),
  "a file that nobody saved": forEach(stateFile, (path) => writeFileSync(`${path}.old`, "x")),
  "no checkpoint at all": (run) => rmSync(join(run, "checkpoints"), { recursive: true }),
};

describe.concurrent("a checkpoint with", { timeout: 60_000 }, () => {
  for (const [index, [name, damage]] of Object.entries(damages).entries()) {
    test(`${name} is neither sampled nor exported`, async () => {
      const run = damaged(`checkpoint-${index}`, damage);
      const [sampled, exported] = await Promise.all([
        spar(["sample", run, "--prompt", "ab"]),
        spar(["export", run, "--to", `model-${index}`]),
      ]);
      for (const { code, output, errors } of [sampled, exported]) {
        expect(errors).toMatch(/^error: expected .*checkpoints.*\nhint: {2}restore the folder from a copy/mu);
        expect([code, output]).toEqual([exitCodes.input.code, ""]);
      }
      expect(existsSync(join(folder, `model-${index}`))).toBe(false);
    });
  }
});

test("files of the embedded engine are looked at before it reads them", { timeout: 60_000 }, async () => {
  const words = ["run", fixture("recipe.ts"), "--engine", "embedded", "--set", "updateCount=1"];
  expect((await spar([...words, "--name", "real"])).code).toBe(0);
  const emptied = (name: string): string =>
    damaged(
      `empty-${name}`,
      forEach(name, (path) => writeFileSync(path, "{}")),
      "real",
    );
  const runs = ["tokenizer.json", "config.json", "weights.safetensors"].map(emptied);
  for (const { code, output, errors } of await Promise.all(
    runs.map((run) => spar(["sample", run, "--prompt", "ab"])),
  )) {
    expect(errors).toMatch(/^error: expected .*checkpoints.* found 2 bytes/u);
    expect([code, output]).toEqual([exitCodes.input.code, ""]);
  }
});

describe.concurrent("a run with", { timeout: 60_000 }, () => {
  test.each([
    ["an empty database", (run: string) => writeFileSync(join(run, "run.sqlite"), "")],
    ["a cut database", (run: string) => truncateSync(join(run, "run.sqlite"), 5000)],
    [
      "a folder for run.json",
      (run: string) => {
        rmSync(join(run, "run.json"));
        mkdirSync(join(run, "run.json"));
      },
    ],
  ])("%s is refused, and not advised to be resumed", async (name, damage) => {
    const run = damaged(name.replaceAll(" ", "-"), damage);
    const commands = [
      ["resume", run],
      ["replay", run],
    ];
    for (const { code, output, errors } of await Promise.all(commands.map((words) => spar(words)))) {
      expect(errors).toMatch(/^error: .*\nhint: {2}restore the folder from a copy/u);
      expect(errors).not.toMatch(/go on with/u);
      expect([code, output]).toEqual([exitCodes.input.code, ""]);
    }
  });
});

/** Somebody who may read what all may read, and write nothing here; null where nobody can be that. */
const reader = findReader();

function findReader(): Pick<CommandOptions, "userId"> | null {
  if (process.getuid?.() !== 0) return null;
  const userId = 65_534;
  const look = ["-e", `require("fs").readFileSync(${JSON.stringify(fixture("engine.ts"))})`];
  const { status } = spawnSync(process.execPath, look, { uid: userId, gid: userId });
  return status === 0 ? { userId } : null;
}

describe.skipIf(reader === null)("somebody who may not write", { timeout: 60_000 }, () => {
  const asReader = (words: readonly string[]): Promise<CommandResult> => spar(words, reader ?? {});

  test("is shown a finished run again, its episodes, and its answers", async () => {
    const [resumed, replayed, sampled] = await Promise.all([
      asReader(["resume", "good"]),
      asReader(["replay", "good"]),
      asReader(["sample", "good", "--prompt", "ab", "--temperature", "0"]),
    ]);
    for (const { code, errors } of [resumed, replayed, sampled]) {
      expect(errors).not.toMatch(/error:/u);
      expect(code).toBe(0);
    }
    expect(resumed.output).toMatch(/Updates/u);
  });

  test.each([
    ["run.json", (run: string) => chmodSync(join(run, "run.json"), 0)],
    ["run.sqlite", (run: string) => chmodSync(join(run, "run.sqlite"), 0)],
    ["the folder", (run: string) => chmodSync(run, 0)],
  ])("and not read %s is told to make it readable", async (name, close) => {
    const run = damaged(`closed-${name.replaceAll(" ", "-")}`, close);
    const commands = [
      ["resume", run],
      ["replay", run],
    ];
    for (const { code, errors } of await Promise.all(commands.map(asReader))) {
      expect(errors).toMatch(/^error: .*\nhint: {2}make the folder and what is in it readable/u);
      expect(code).toBe(exitCodes.input.code);
    }
  });

  test("and not read weights is told so", async () => {
    const run = damaged(
      "closed-weights",
      forEach(stateFile, (path) => chmodSync(path, 0)),
    );
    const { code, errors } = await asReader(["sample", run, "--prompt", "a"]);
    expect(errors).toMatch(/^error: reading .*checkpoints.*\nhint: {2}make the folder/u);
    expect(code).toBe(exitCodes.input.code);
  });
});

describe("a run that is still going on", { timeout: 60_000 }, () => {
  test("says so to whoever samples or exports it, and shows what it has kept", async () => {
    const looks: Promise<CommandResult[]>[] = [];
    const words = ["run", fixture("recipe.ts"), "--engine", fixture("stubborn-engine.ts"), "--name", "live"];
    const look = (): Promise<CommandResult[]> =>
      Promise.all([
        spar(["sample", "live", "--engine", fixture("engine.ts"), "--prompt", "ab"]),
        spar(["export", "live", "--what", "records", "--to", "live-records"]),
      ]);
    await spar([...words, "--set", "updateCount=2000"], {
      onOutput: (output, child) => {
        if (looks.length > 0 || !/^ +2 +\d+\.\d{3}$/mu.test(output)) return;
        looks.push(look().finally(() => child.kill("SIGKILL")));
      },
    });
    for (const { code, output, errors } of (await Promise.all(looks)).flat()) {
      expect(errors).toBe("live is still running: this is what it has kept so far\n");
      expect([code, output === ""]).toEqual([0, false]);
    }
    expect(looks).toHaveLength(1);
  });
});
