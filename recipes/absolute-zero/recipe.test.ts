/** Absolute Zero, whole, on the exact fake engine and with real Python: its steps, its plan, its refusals. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { systemClock, type JsonObject, type JsonValue } from "spar/base";
import { openRunReader } from "spar/store";
import { createFakeEngine } from "spar/testing";
import { randomOfRun, resolveOptions, startRun } from "spar/train";
import { afterAll, expect, test, vi } from "vitest";
import { alarms, healthOf } from "./counts.ts";
import { smallRun } from "./fixtures/small-run.ts";
import { stepWork } from "./plan.ts";
import { recipe } from "./recipe.ts";

vi.setConfig({ testTimeout: 240_000 });

const root = mkdtempSync(join(tmpdir(), "spar-absolute-zero-"));
afterAll(() => rmSync(root, { recursive: true, force: true }));

async function play(name: string, overrides: JsonObject = {}): Promise<JsonValue> {
  const { result } = await startRun({
    recipe,
    engineFactory: async () => createFakeEngine({}),
    clock: systemClock,
    folder: join(root, name),
    preset: "nano",
    overrides: { ...smallRun, ...overrides },
    seed: 3,
    engineName: "fake",
    software: { spar: "test", node: "test", commit: null },
    observer: () => undefined,
  });
  return result;
}

test("it proposes, estimates, solves and learns, beside controls that start with the same weights", async () => {
  const result = await play("whole", { controls: ["random-proposals", "frozen-proposer"] });
  expect(Object.keys((result as { end: JsonObject }).end)).toEqual([
    "by self-play",
    "on a frozen proposer's",
    "on random proposals",
  ]);
  using reader = openRunReader(join(root, "whole"));
  const metrics = [...reader.metrics()];
  const last = (name: string): number =>
    metrics.findLast((metric) => metric.name === name && metric.index === 2)?.value ?? Number.NaN;
  // Nobody proposes at random what is invalid, and every proposal and answer of the one batch is counted.
  expect(last("control-random-proposals/validShare")).toBe(1);
  expect(last("control-random-proposals/proposed/sum")).toBe(9);
  expect(last("player/answered/sum")).toBe(9);
  // A control learns from answers alone.
  expect(last("control-random-proposals/responses/sum")).toBe(9);
  expect(last("player/responses/sum")).toBe(last("player/proposed/sum") + 9);
  expect(metrics.filter(({ name }) => name === "mismatch/alarm").map(({ value }) => value)).not.toContain(1);
});

test.each([
  { taskTypes: ["deduction"], baseline: "all", solverTasks: "last-step", unlearnable: "penalty" },
  { statistics: "token", lossMean: "token", inductionScore: "share", optimizer: "adam" },
  { entropy: { estimate: "sampled" }, intrinsic: { complexity: 1, editDistance: 1, answerDiversity: 1 } },
])("every way to play runs: %o", async (overrides) => {
  const name = JSON.stringify(overrides).replaceAll(/\W/gu, "").slice(0, 40);
  expect(await play(name, { ...overrides, stepCount: 1 })).toHaveProperty("end.by self-play");
});

test("alarms name what goes wrong with its figure, a healthy round has none", () => {
  const options = resolveOptions(recipe, "nano");
  const healthy = {
    proposed: 72,
    valid: 66,
    estimated: 66,
    learnable: 33,
    duplicate: 3,
    tokens: 700,
    entropy: 400,
  };
  expect(alarms(options, healthOf(healthy), 10)).toEqual([]);
  const sick = {
    proposed: 72,
    valid: 14,
    estimated: 14,
    learnable: 0,
    duplicate: 14,
    tokens: 700,
    entropy: 7,
  };
  expect(alarms(options, healthOf(sick), 10)).toEqual([
    expect.stringContaining("19 % of the proposals were valid"),
    expect.stringContaining("0 % of the valid proposals could be learned from"),
    expect.stringContaining("100 % of the valid proposals were there before"),
    expect.stringContaining("fell to 0.010 nats"),
  ]);
  expect(alarms(options, healthOf({}), 10)).toEqual([]);
});

test("the paper's step is 384 rows, 1,536 rollouts and one update", async () => {
  const options = resolveOptions(recipe, "paper");
  expect(stepWork(options)).toMatchObject({ rows: 384, rollouts: 1536, proposals: 192, answers: 192 });
  const { lines } = await recipe.plan(options, randomOfRun(1));
  expect(lines.find(({ name }) => name === "rows of an update")?.value).toBe(384);
  for (const preset of Object.keys(recipe.presets))
    expect(() => resolveOptions(recipe, preset)).not.toThrow();
});

test("options that contradict each other are refused with both values", () => {
  const resolve = (overrides: JsonObject) => (): unknown => resolveOptions(recipe, "nano", overrides);
  expect(resolve({ maxContentTokens: 49 })).toThrow(
    "maxContentTokens = 49 must not be above maxPromptTokens = 48",
  );
  expect(resolve({ world: "python" })).toThrow("world python needs a baseModel");
  expect(resolve({ baseModel: "./model" })).toThrow("world lists is for a model from scratch");
  expect(resolve({ taskTypes: ["induction"] })).toThrow("induction needs the programs");
  expect(resolve({ taskTypes: ["deduction", "deduction"] })).toThrow("taskTypes must name each type once");
  expect(resolve({ stepCount: 3 })).toThrow("stepsPerRound = 10 must not be above stepCount = 3");
  expect(resolve({ architecture: { width: 10 } })).toThrow("width must be headCount times a multiple of 4");
  expect(resolve({ controls: ["random-proposals", "random-proposals"] })).toThrow("controls must name");
});
