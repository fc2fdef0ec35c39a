/**
 * A process without memory: where V8 aborts it, the run goes on as if nothing had been; where WebAssembly gets
 * no more, there is an error that says what to do, and the process lives.
 */
import { execFile } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, expect, test } from "vitest";
import { systemClock } from "../../src/base/index.ts";
import { createEngine } from "../../src/engines/embedded/engine.ts";
import { expectCode } from "../../src/testing/index.ts";
import { resumeRun, startRun } from "../../src/train/index.ts";
import type { KillPlan } from "../fixtures/durability/kill-switch.ts";
import { smallRecipe } from "../fixtures/durability/small-recipe.ts";
import { contentOf } from "./content.ts";
import { checkKept, finishedIn } from "./finished.ts";
import { runKillable, smallOnEmbedded, smallOnFake, type Killable } from "./kill-lives.ts";

const root = mkdtempSync(join(tmpdir(), "spar-memory-"));
const software = { spar: "test", node: "test", commit: null };
afterAll(() => rmSync(root, { recursive: true, force: true }));

async function expectKept(killable: Killable, deaths: readonly KillPlan[]): Promise<void> {
  const [whole, folder] = [join(root, killable.engine, "whole", "run"), join(root, killable.engine, "run")];
  await runKillable(killable, whole);
  let before = finishedIn(folder);
  for (const death of deaths) {
    expect((await runKillable(killable, folder, death)).isKilled, death.moment).toBe(true);
    const after = finishedIn(folder);
    checkKept(before, after);
    expect(after.size, death.moment).toBeGreaterThan(before.size);
    before = after;
  }
  await runKillable(killable, folder);
  checkKept(before, finishedIn(folder));
  expect(await contentOf(folder)).toEqual(await contentOf(whole));
}

test("what was finished when a player or the recipe filled the heap is kept, and the run ends as one that had enough", async () => {
  await expectKept(smallOnFake, [
    { moment: "reply", nth: 8, how: "memory" },
    { moment: "train", nth: 1, how: "memory" },
    { moment: "reply", nth: 3, how: "memory" },
    { moment: "train", nth: 1, how: "memory" },
  ]);
}, 240_000);

test("so it is beside the threads of the embedded engine", async () => {
  await expectKept(smallOnEmbedded, [
    { moment: "reply", nth: 8, how: "memory" },
    { moment: "train", nth: 2, how: "memory" },
  ]);
}, 240_000);

test("a run whose engine comes to its limit says so, keeps what it had, and goes on with more to the same end", async () => {
  const whole = join(root, "roomy", "run");
  const folder = join(root, "tight", "run");
  const common = (memoryLimitBytes: number) => ({
    recipe: smallRecipe,
    clock: systemClock,
    engineFactory: async () => createEngine({ threadCount: 1, memoryLimitBytes }),
  });
  const identity = { preset: "nano", seed: 11, engineName: "embedded", software };
  await startRun({ ...common(2 ** 28), ...identity, folder: whole });
  const error = await expectCode(startRun({ ...common(2 ** 17), ...identity, folder }), "memory-exhausted");
  expect(error.message).toMatch(
    /holds \d+ KiB and needs \d+ KiB more in one piece: beyond its limit of 128 KiB/u,
  );
  const before = finishedIn(folder);
  expect(before.size).toBeGreaterThan(0);
  await resumeRun({ ...common(2 ** 28), folder });
  checkKept(before, finishedIn(folder));
  expect(await contentOf(folder)).toEqual(await contentOf(whole));
}, 120_000);

const program = join(import.meta.dirname, "../fixtures/durability/run-without-memory.ts");

// Elsewhere the system has no such limit to set.
test.skipIf(process.platform !== "linux")(
  "where the machine gives no more memory, the engine says what it needs, and computes what there is room for",
  async () => {
    const command = `ulimit -d 3000000; exec '${process.execPath}' --conditions=source '${program}'`;
    const { stdout } = await promisify(execFile)("/bin/sh", ["-c", command], { timeout: 120_000 });
    const error = {
      code: "memory-exhausted",
      message: expect.stringMatching(
        /holds \d+ KiB and needs 3,\d\d\d MiB more in one piece: beyond what this machine gives/u,
      ),
      hint: expect.stringContaining("choose a smaller model"),
    };
    expect(JSON.parse(stdout)).toEqual({ first: error, afterwards: null });
  },
  150_000,
);
