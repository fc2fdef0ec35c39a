/** A plan against the run that it is of: the same seed, and every update, row and sampled answer counted. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { systemClock, type JsonObject } from "spar/base";
import type { CreateModelOptions, Datum, Engine, Model } from "spar/contract";
import { openRunReader } from "spar/store";
import { createFakeEngine } from "spar/testing";
import { randomOfRun, resolveOptions, startRun, type Plan } from "spar/train";
import { afterAll, expect, test } from "vitest";
import { recipe } from "./recipe.ts";

const root = mkdtempSync(join(tmpdir(), "spar-spin-work-"));
afterAll(() => rmSync(root, { recursive: true, force: true }));

/** Single-digit sums, all of them: how many are trained on depends on which the seed holds out. */
const overrides: JsonObject = {
  heldOutCount: 20,
  annotations: { operators: ["+"], maxExpressionCharacters: 3 },
  architecture: { width: 8, layerCount: 1, headCount: 2 },
  warmUp: { epochs: 2, rowsPerUpdate: 16 },
  iterationCount: 2,
  opponentWindow: 2,
  pairsPerUpdate: 16,
  controls: ["equal-updates", "equal-time"],
  sampleCount: 3,
};

/** Rows that any model was trained on, and answers that any version gave. */
function countingEngine(
  engine: Engine,
  { onRows, onAnswer }: { readonly onRows: (count: number) => void; readonly onAnswer: () => void },
): Engine {
  const countRows = (model: Model): Model =>
    new Proxy(model, {
      get: (target, key) => {
        const value: unknown = Reflect.get(target, key, target);
        if (typeof value !== "function") return value;
        return (...words: readonly unknown[]): unknown => {
          if (key === "forwardBackward" || key === "forwardBackwardCustom")
            onRows((words[0] as Datum[]).length);
          return value.apply(target, words);
        };
      },
    });
  return new Proxy(engine, {
    get: (target, key) => {
      const value: unknown = Reflect.get(target, key, target);
      if (key === "createModel")
        return async (options: CreateModelOptions) => countRows(await target.createModel(options));
      if (key === "sample")
        return (...words: Parameters<Engine["sample"]>) => {
          // The canary of a published version is stopped by nothing but its length.
          if (words[1].parameters.stopTokenIds !== undefined) onAnswer();
          return target.sample(...words);
        };
      return typeof value === "function" ? value.bind(target) : value;
    },
  });
}

interface Done {
  readonly promptCount: number;
  readonly updates: number;
  readonly rows: number;
  readonly answers: number;
}

async function play(seed: number, more: JsonObject): Promise<Done> {
  const fake = createFakeEngine({});
  let rows = 0;
  let answers = 0;
  const counts = { onRows: (count: number) => void (rows += count), onAnswer: () => void answers++ };
  const folder = join(root, `${seed}-${JSON.stringify(more).length}`);
  await startRun({
    recipe,
    folder,
    preset: "nano",
    overrides: { ...overrides, ...more },
    seed,
    engineName: "fake",
    engineFactory: async () => countingEngine(fake, counts),
    clock: systemClock,
    software: { spar: "test", node: "test", commit: null },
  });
  using reader = openRunReader(folder);
  const updates = fake.callLog.filter(({ kind }) => kind === "optimStep").length;
  const promptCount = [...reader.episodes({ stepName: "answer-0" })].length;
  return { promptCount, updates, rows, answers };
}

const planOf = (seed: number, more: JsonObject): Promise<Plan> =>
  recipe.plan(resolveOptions(recipe, "nano", { ...overrides, ...more }), randomOfRun(seed));
const numberOf = ({ lines }: Plan, name: string): number =>
  Number(lines.find((line) => line.name === name)?.value ?? Number.NaN);
const updatesOf = (plan: Plan): number =>
  [
    "warm-up",
    "self-play, all iterations",
    "control: fine-tuning, equal-updates",
    "control: fine-tuning, equal-time",
  ].reduce((sum, name) => sum + numberOf(plan, name), 0);

const { maxAnswerTokens, maxSequenceTokens } = resolveOptions(recipe, "nano");

test("a plan of the run's seed counts the run's own prompts, updates and answers, the controls included", async () => {
  const counts = new Set<number>();
  for (const seed of [1, 2, 3, 4, 5, 6]) counts.add(numberOf(await planOf(seed, {}), "training prompts"));
  expect(counts.size, "seeds hold out different sums").toBeGreaterThan(1);
  const every = { dropEqualAnswers: false };
  for (const seed of [3, 4]) {
    const [done, plan] = [await play(seed, every), await planOf(seed, every)];
    expect(numberOf(plan, "training prompts")).toBe(done.promptCount);
    expect(updatesOf(plan)).toBe(done.updates);
    expect(numberOf(plan, "tokens of answers")).toBe(done.answers * maxAnswerTokens);
    expect(numberOf(plan, "tokens trained")).toBeGreaterThanOrEqual(done.rows * maxSequenceTokens);
    // The smaller last update of an epoch is all that the bound does not see.
    expect(numberOf(plan, "tokens trained")).toBeLessThan(1.3 * done.rows * maxSequenceTokens);
  }
});

test("where equal answers are dropped, a run does at most what its plan says", async () => {
  const [done, plan] = [await play(3, {}), await planOf(3, {})];
  expect(updatesOf(plan)).toBeGreaterThanOrEqual(done.updates);
  expect(numberOf(plan, "tokens trained")).toBeGreaterThanOrEqual(done.rows * maxSequenceTokens);
  expect(numberOf(plan, "tokens of answers")).toBeGreaterThanOrEqual(done.answers * maxAnswerTokens);
});
