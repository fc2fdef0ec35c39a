/** The fair control has what SPIN had: as many updates, each on as many rows. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { systemClock, type JsonObject } from "spar/base";
import type { CreateModelOptions, Engine, Model } from "spar/contract";
import { createFakeEngine } from "spar/testing";
import { startRun } from "spar/train";
import { afterAll, expect, test } from "vitest";
import { recipe } from "./recipe.ts";

const root = mkdtempSync(join(tmpdir(), "spar-spin-control-"));
afterAll(() => rmSync(root, { recursive: true, force: true }));

const small: JsonObject = {
  exampleCount: 60,
  heldOutCount: 20,
  annotations: { operators: ["+"], maxExpressionCharacters: 5, maxAnswerCharacters: 2 },
  architecture: { width: 16, layerCount: 1, headCount: 2 },
  warmUp: { epochs: 0 },
  iterationCount: 2,
  maxRowsPerCall: 1000,
  controls: ["equal-updates", "equal-time"],
};

/** Rows of each update, by the name of the model. */
async function rowsOfUpdates(name: string, overrides: JsonObject): Promise<Record<string, number[]>> {
  const rows: Record<string, number[]> = {};
  await startRun({
    recipe,
    folder: join(root, name),
    preset: "nano",
    overrides: { ...small, ...overrides },
    seed: 3,
    engineName: "fake",
    engineFactory: async () =>
      watched(createFakeEngine({}), (model, count) => (rows[model] ??= []).push(count)),
    clock: systemClock,
    software: { spar: "test", node: "test", commit: null },
  });
  return rows;
}

/** An engine that tells how many rows each pass over a model has. */
function watched(engine: Engine, tell: (model: string, rowCount: number) => void): Engine {
  const watchedModel = (model: Model, name: string): Model =>
    new Proxy(model, {
      get: (target, key) => {
        const value: unknown = Reflect.get(target, key, target);
        if (typeof value !== "function") return value;
        return (...given: readonly unknown[]): unknown => {
          const [data] = given;
          const isPass = key === "forwardBackward" || key === "forwardBackwardCustom";
          if (isPass && Array.isArray(data)) tell(name, data.length);
          return Reflect.apply(value, target, given);
        };
      },
    });
  return new Proxy(engine, {
    get: (target, key) => {
      if (key === "createModel")
        return async (options: CreateModelOptions) =>
          watchedModel(await target.createModel(options), options.name);
      const value: unknown = Reflect.get(target, key, target);
      return typeof value === "function" ? value.bind(target) : value;
    },
  });
}

const cases: readonly (readonly [string, JsonObject])[] = [
  ["a smaller last update", { pairsPerUpdate: 16 }],
  ["fewer pairs than an update may have", { pairsPerUpdate: 1000 }],
  ["several epochs", { pairsPerUpdate: 16, epochsPerIteration: 2 }],
  ["a window of two", { pairsPerUpdate: 16, opponentWindow: 2, dropEqualAnswers: false }],
];

test.each(cases)("with %s the control's updates have exactly the rows of SPIN's", async (name, overrides) => {
  const rows = await rowsOfUpdates(name, overrides);
  const spin = rows["player"] ?? [];
  expect(spin.length).toBeGreaterThanOrEqual(2);
  // In each epoch rows are shuffled anew, so only the sizes can be compared.
  expect(rows["control-equal-updates"]).toEqual(spin);
  const { pairsPerUpdate } = overrides;
  expect(spin.some((count) => count !== 2 * Number(pairsPerUpdate))).toBe(true);
});

test("a control of equal time makes as many more updates as its ratio says, and at least one", async () => {
  const pairs = { pairsPerUpdate: 20, dropEqualAnswers: false };
  const longer = await rowsOfUpdates("longer", { ...pairs, equalTimeRatio: 1.8 });
  expect(longer["player"]).toEqual([40, 40, 40, 40, 40, 40]);
  expect(longer["control-equal-time"]).toEqual([40, 40, 40, 40, 40, 40, 40, 40, 40, 40]);
  const shorter = await rowsOfUpdates("shorter", { ...pairs, equalTimeRatio: 0.1 });
  expect(shorter["control-equal-time"]).toEqual([40, 40]);
});
