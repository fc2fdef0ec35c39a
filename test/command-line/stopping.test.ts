/** Runs that end early, against the real command: ctrl-C, a closed pipe, a full disk, and going on afterwards. */
import { spawnSync, type ChildProcess } from "node:child_process";
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { constants, tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { runCommand, type CommandOptions } from "../fixtures/cli/spawn-command.ts";
import { exitCodes } from "../../src/cli/exit-codes.ts";

const fixture = (name: string): string => fileURLToPath(new URL(`../fixtures/cli/${name}`, import.meta.url));
/** Long enough to be stopped on a busy machine. */
const slowRun = [
  "run",
  fixture("recipe.ts"),
  "--engine",
  fixture("slow-engine.ts"),
  "--set",
  "updateCount=40",
];

let folder = "";
beforeAll(() => void (folder = mkdtempSync(join(tmpdir(), "spar-cli-"))));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** Does something once, as soon as the table has so many rows. */
function afterRows(
  count: number,
  act: (child: ChildProcess) => void,
): NonNullable<CommandOptions["onOutput"]> {
  let isDone = false;
  return (output, child) => {
    if (isDone || rowsOf(output).length < count) return;
    isDone = true;
    act(child);
  };
}

/** The rows of the table of updates. */
function rowsOf(output: string): string[] {
  return output.split("\n").filter((line) => /^ +\d+ +\d+\.\d{3}$/u.test(line));
}

describe.concurrent("stopping", { timeout: 60_000 }, () => {
  test("a run that was stopped by ctrl-C goes on and ends as one that was not", async () => {
    const fastRun = slowRun.map((word) => word.replace("slow-engine", "engine"));
    const whole = await runCommand([...fastRun, "--name", "whole"], { workingFolder: folder });
    expect(rowsOf(whole.output)).toHaveLength(40);
    const stopped = await runCommand([...slowRun, "--name", "stopped"], {
      workingFolder: folder,
      onOutput: afterRows(3, (child) => child.kill("SIGINT")),
    });
    expect(stopped.code).toBe(exitCodes.interrupted.code);
    expect(stopped.errors).toMatch(/stopping: .*\n(.*\n)*stopped; go on with: .*resume .*stopped/u);
    const kept = rowsOf(stopped.output).length;
    expect(kept).toBeGreaterThanOrEqual(3);
    expect(kept).toBeLessThan(40);
    const resumed = await runCommand(["resume", "stopped"], { workingFolder: folder });
    expect(resumed.code).toBe(exitCodes.ok.code);
    expect(resumed.errors).toMatch(/^resumed after \d+ finished steps/u);
    expect(rowsOf(resumed.output)).toEqual(rowsOf(whole.output));
  });

  test("SIGTERM ends in the same way with its own code", async () => {
    const { code, errors } = await runCommand([...slowRun, "--name", "terminated"], {
      workingFolder: folder,
      onOutput: afterRows(2, (child) => child.kill("SIGTERM")),
    });
    expect(code).toBe(exitCodes.terminated.code);
    expect(errors).toMatch(/go on with: .*resume .*terminated/u);
  });

  test.skipIf(process.platform === "win32")(
    "a second ctrl-C ends at once what does not stop, and a shell sees the code of an interrupt",
    async () => {
      const stubborn = slowRun.map((word) => word.replace("slow-engine", "stubborn-engine"));
      let endedBy: string | null = null;
      const { code, errors } = await runCommand([...stubborn, "--name", "stubborn"], {
        workingFolder: folder,
        onOutput: afterRows(2, (child) => {
          child.on("exit", (_code, signal) => (endedBy = signal));
          child.kill("SIGINT");
          // Later than npm would pass on the first one.
          child.stderr?.once("data", () => setTimeout(() => child.kill("SIGINT"), 600));
        }),
      });
      // 128 and the number of the signal is what shells make of it.
      expect([code, endedBy, 128 + constants.signals.SIGINT]).toEqual([
        null,
        "SIGINT",
        exitCodes.interrupted.code,
      ]);
      expect(errors).toContain("press ctrl-C again to end at once");
    },
  );

  test("a run whose reader has gone stops quietly and can be resumed", async () => {
    const { code, errors } = await runCommand([...slowRun, "--name", "piped"], {
      workingFolder: folder,
      onOutput: afterRows(2, (child) => child.stdout?.destroy()),
    });
    expect(code).toBe(exitCodes.closedPipe.code);
    expect(errors).toMatch(/^stopped; go on with: .*resume .*piped\n$/u);
  });

  test("a run that was stopped before anything was finished leaves no folder", async () => {
    const { code, errors } = await runCommand([...slowRun, "--name", "early", "--json"], {
      workingFolder: folder,
      onOutput: afterRows(0, (child) => child.kill("SIGINT")),
    });
    expect(code).toBe(exitCodes.interrupted.code);
    const isThere = existsSync(join(folder, "runs", "early"));
    expect(errors).toMatch(isThere ? /go on with/u : /nothing is left behind/u);
  });

  test.skipIf(!existsSync("/dev/full"))("output to a full disk is told about", () => {
    const entry = fileURLToPath(new URL("../../src/cli/main.ts", import.meta.url));
    const command = `"${process.execPath}" --conditions=source "${entry}" help exit-codes > /dev/full`;
    const { status, stderr } = spawnSync("sh", ["-c", command], { encoding: "utf8" });
    expect(stderr).toMatch(/error: standard output cannot be written.*\nhint: /u);
    expect(status).toBe(exitCodes.storage.code);
  });
});
