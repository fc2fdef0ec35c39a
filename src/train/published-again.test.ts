/** Versions of an earlier process: published again from their weights, and proved again. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { z } from "zod";
import { systemClock } from "../base/index.ts";
import { tokens, type Engine } from "../contract/index.ts";
import { createFakeEngine, expectCode, tinyModel } from "../testing/index.ts";
import { defineRecipe } from "./recipe.ts";
import { resumeRun, startRun } from "./execute-run.ts";

const root = mkdtempSync(join(tmpdir(), "spar-again-"));
afterAll(() => rmSync(root, { recursive: true, force: true }));

let isStopped = true;

/** Publishes in one step, and samples in another one of a later process. */
const recipe = defineRecipe({
  id: "again",
  title: "Again",
  paper: null,
  summary: "publishes, and samples later",
  version: 1,
  options: z.strictObject({}),
  presets: { nano: { summary: "", options: {}, engine: "fake" } },
  needs: () => [],
  plan: async () => ({ lines: [], steps: [], memoryBytes: null, diskBytes: null, inputs: [] }),
  run: async (run) => {
    const policy = await run.model("policy", tinyModel());
    const version = await run.step("publish", { models: [policy] }, () => policy.publish());
    if (isStopped) throw new Error("told to stop");
    return run.step("sample", {}, async () => {
      const request = { prompt: [tokens([1])], parameters: { maxTokens: 4, seed: 4 } };
      const { sequences } = await run.engine.sample(version, request);
      return sequences.length;
    });
  },
});

const common = (name: string, engine: Engine) => ({
  recipe,
  folder: join(root, name),
  engineFactory: async () => engine,
  clock: systemClock,
});

async function publish(name: string): Promise<void> {
  isStopped = true;
  const started = startRun({
    ...common(name, createFakeEngine()),
    preset: "nano",
    seed: 1,
    engineName: "fake",
    software: { spar: "test", node: "test", commit: null },
  });
  await expect(started).rejects.toThrow("told to stop");
  isStopped = false;
}

test("a sampler that has other weights for a version of an earlier process is caught before it is used", async () => {
  await publish("stale");
  const stale = createFakeEngine({ faults: [{ kind: "perturb-logprobs", nats: 0.05 }] });
  await expectCode(resumeRun(common("stale", stale)), "stale-sampler");
  expect((await resumeRun(common("stale", createFakeEngine()))).result).toBe(1);
});
