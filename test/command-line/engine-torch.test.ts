/** `--engine torch` and `spar engine` as a user has them, with a worker that is a real process and no Python. */
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { exitCodes } from "../../src/cli/exit-codes.ts";
import {
  expectGone,
  fakePython,
  isRunning,
  startedWorkers,
} from "../../src/engines/torch/fixtures/fake-python.ts";
import { runCommand, type CommandResult } from "../fixtures/cli/spawn-command.ts";

const recipe = fileURLToPath(new URL("../fixtures/cli/recipe.ts", import.meta.url));
let folder = "";
let environment: Record<string, string> = {};
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "spar-torch-cli-"));
  environment = { SPAR_PYTHON: fakePython(folder), SPAR_DATA: join(folder, "data") };
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const recordOf = (name: string): string => join(folder, `${name}.record`);

function spar(name: string, words: readonly string[], more: object = {}): Promise<CommandResult> {
  return runCommand(words, {
    workingFolder: folder,
    environment: { ...environment, FAKE_WORKER_RECORD: recordOf(name) },
    ...more,
  });
}

describe("engine torch on the command line", { timeout: 120_000 }, () => {
  test("runs a recipe on a worker of its own, which is gone afterwards", async () => {
    const words = [
      "run",
      recipe,
      "--engine",
      "torch",
      "--engine-set",
      "deterministic=true",
      "--name",
      "whole",
    ];
    const ran = await spar("whole", words);
    expect([ran.errors, ran.code]).toEqual([expect.stringContaining("starting the PyTorch worker"), 0]);
    expect(ran.output).toMatch(/^engine +torch \(fake, float32\)/mu);
    const [worker] = startedWorkers(recordOf("whole"));
    expect(worker?.words).toContain("--deterministic");
    await expectGone(worker?.pid ?? 0);
    const run = join(folder, "runs", "whole");
    expect(readFileSync(join(run, "engine.log"), "utf8")).toContain("a careless line with the key ***");
    expect(JSON.parse(readFileSync(join(run, "run.json"), "utf8"))).toMatchObject({
      engine: { name: "torch", options: { deterministic: true } },
    });
  });

  test("goes on by itself when the worker dies in the middle, and ends as a run whose worker lived", async () => {
    const words = ["run", recipe, "--engine", "torch", "--set", "updateCount=12", "--json", "--name"];
    const whole = await spar("lived", [...words, "lived"]);
    let isKilled = false;
    const died = await spar("died", [...words, "died"], {
      onOutput: (output: string) => {
        if (isKilled || output.split('"report"').length < 5) return;
        isKilled = true;
        process.kill(startedWorkers(recordOf("died"))[0]?.pid ?? 0, "SIGKILL");
      },
    });
    expect([died.errors, died.code]).toEqual(["", 0]);
    expect(died.output).toContain("the run goes on from its last checkpoint with a new engine");
    expect(startedWorkers(recordOf("died"))).toHaveLength(2);
    const resultOf = ({ output }: CommandResult): unknown =>
      (JSON.parse(output.trim().split("\n").at(-1) ?? "") as { result: unknown }).result;
    expect(resultOf(died)).toEqual(resultOf(whole));
  });

  test("ctrl-C ends the worker with the command; the run is resumed with the options that it had", async () => {
    const words = [
      "run",
      recipe,
      "--engine",
      "torch",
      "--engine-set",
      "mayDownload=true",
      "--set",
      "updateCount=30",
      "--name",
      "stopped",
    ];
    let isStopped = false;
    const { code, errors } = await spar("stopped", words, {
      onOutput: (output: string, child: { kill: (signal: "SIGINT") => void }) => {
        if (isStopped || output.split("\n").filter((line) => /^ +\d+ +\d/u.test(line)).length < 2) return;
        isStopped = true;
        child.kill("SIGINT");
      },
    });
    expect(code).toBe(exitCodes.interrupted.code);
    expect(errors).toMatch(/go on with: .*resume .*stopped/u);
    const resumed = await spar("stopped", ["resume", "stopped"]);
    expect(resumed.code).toBe(0);
    expect(startedWorkers(recordOf("stopped")).map(({ words }) => words.includes("--may-download"))).toEqual([
      true,
      true,
    ]);
    for (const { pid } of startedWorkers(recordOf("stopped"))) await expectGone(pid);
  });

  test("says what is missing, with the command that installs it", async () => {
    const words = ["run", recipe, "--engine", "torch"];
    const { code, errors } = await runCommand(words, {
      workingFolder: folder,
      environment: { SPAR_DATA: join(folder, "none") },
    });
    expect(code).toBe(exitCodes.environment.code);
    expect(errors).toMatch(/needs Python with PyTorch.*\nhint: +spar engine install torch/u);
    const wrong = await spar("wrong", [...words, "--engine-set", "devise=cpu"]);
    expect(wrong.code).toBe(exitCodes.usage.code);
    expect(wrong.errors).toMatch(/engine torch has no option "devise"\n.*did you mean "device"/u);
  });

  test("a server outlives its command, serves a run, is listed, and ends when it is told to", async () => {
    const started = await spar("server", [
      "engine",
      "start",
      "torch",
      "--name",
      "mine",
      "--model",
      "a=b",
      "--json",
    ]);
    expect([started.errors, started.code]).toEqual([expect.stringContaining("starting"), 0]);
    const server = JSON.parse(started.output) as { pid: number; keyFile: string; url: string };
    expect(isRunning(server.pid)).toBe(true);
    expect(statSync(server.keyFile).mode & 0o777).toBe(0o600);
    const key = readFileSync(server.keyFile, "utf8").trim();
    const listed = await spar("list", ["engine", "list", "--json"]);
    expect(JSON.parse(listed.output)).toMatchObject({
      servers: [{ name: "mine", engine: "torch", isAlive: true, pid: server.pid, models: ["a=b"] }],
    });
    const words = ["run", recipe, "--engine", "torch", "--engine-set", "server=mine", "--name", "served"];
    const ran = await spar("served", words);
    expect([ran.errors, ran.code]).toEqual(["", 0]);
    expect(isRunning(server.pid)).toBe(true);
    for (const { output, errors } of [started, listed, ran]) expect(output + errors).not.toContain(key);
    const again = await spar("again", ["engine", "start", "torch", "--name", "mine"]);
    expect(again.errors).toContain("a server called mine is running");
    const stopped = await spar("stop", ["engine", "stop", "mine"]);
    expect(stopped.output).toContain("mine has ended");
    await expectGone(server.pid);
    expect((await spar("stop", ["engine", "stop", "mine"])).errors).toContain('no server is called "mine"');
    expect(readdirSync(join(folder, "data", "engines", "torch", "servers"))).toEqual([]);
  });
});
