import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { systemClock } from "../../base/index.ts";
import { openRunReader } from "../../store/index.ts";
import { createFakeEngine } from "../../testing/index.ts";
import { startRun } from "../../train/index.ts";
import { smallRecipe } from "../../../test/fixtures/durability/small-recipe.ts";
import { tokenizerOfRun } from "./run-tokenizers.ts";

const root = mkdtempSync(join(tmpdir(), "spar-tokenizers-"));
afterAll(() => rmSync(root, { recursive: true, force: true }));

test("what a crash left beside the checkpoints of a run is no part of it", async () => {
  const folder = join(root, "run");
  await startRun({
    recipe: smallRecipe,
    folder,
    preset: "nano",
    seed: 11,
    engineName: "fake",
    engineFactory: async () => createFakeEngine(),
    clock: systemClock,
    software: { spar: "test", node: "test", commit: null },
  });
  for (const name of ["policy.9", "policy.9.tmp"]) {
    mkdirSync(join(folder, "checkpoints", name));
    writeFileSync(join(folder, "checkpoints", name, "tokenizer.json"), "{}");
  }
  using reader = openRunReader(folder);
  expect(await tokenizerOfRun(reader, "policy")).toBeNull();
  expect(await tokenizerOfRun(reader, null)).toBeNull();
});
