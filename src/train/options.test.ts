import { expect, test } from "vitest";
import { z } from "zod";
import type { JsonObject } from "../base/index.ts";
import { expectCode } from "../testing/index.ts";
import { manifest } from "../../test/fixtures/durability/records.ts";
import { differingOptions, optionsToJson, resolveOptions } from "./options.ts";
import { defineRecipe } from "./recipe.ts";
import { optionsOfRun } from "./run-checks.ts";

const recipe = defineRecipe({
  id: "test",
  title: "test",
  paper: null,
  summary: "test",
  version: 1,
  options: z.strictObject({
    beta: z.number().positive().default(0.1),
    loss: z.enum(["logistic", "hinge"]).default("logistic"),
    warmUp: z
      .strictObject({ rows: z.int().default(64), rates: z.array(z.number()).default([1]) })
      .prefault({}),
  }),
  presets: {
    nano: { summary: "small", options: { beta: 1, warmUp: { rows: 8, rates: [2] } }, engine: "fake" },
  },
  check: ({ beta, loss }) => (loss === "hinge" && beta > 5 ? ["beta above 5 makes hinge flat"] : []),
  needs: () => [],
  plan: async () => ({ lines: [], steps: [], memoryBytes: null, diskBytes: null, inputs: [] }),
  run: async () => null,
});

const resolve = async (overrides: JsonObject, preset = "nano"): Promise<unknown> =>
  resolveOptions(recipe, preset, overrides);

test("overrides go over the preset, the preset over defaults, member by member", async () => {
  expect(await resolve({})).toEqual({ beta: 1, loss: "logistic", warmUp: { rows: 8, rates: [2] } });
  expect(await resolve({ loss: "hinge", warmUp: { rows: 2 } })).toEqual({
    beta: 1,
    loss: "hinge",
    warmUp: { rows: 2, rates: [2] },
  });
});

test.each([
  [{ bet: 1 }, "unknown-option", '"bet"', "beta"],
  [{ warmUp: { row: 1 } }, "unknown-option", '"warmUp.row"', "warmUp.rows"],
  [{ beta: -1 }, "invalid-option", "option beta: ", "-1"],
  [{ beta: "much" }, "invalid-option", "option beta: ", '"much"'],
  [{ loss: "hing" }, "invalid-option", "option loss: ", "logistic"],
  [{ warmUp: { rows: 1.5 } }, "invalid-option", "option warmUp.rows: ", "1.5"],
  [{ warmUp: { rates: [1, "x"] } }, "invalid-option", "option warmUp.rates.1: ", '"x"'],
  [{ loss: "hinge", beta: 6 }, "invalid-option", "beta above 5", "hinge"],
])("%j is refused with %s", async (overrides, code, place, detail) => {
  const error = await expectCode(resolve(overrides), code);
  expect(`${error.message} ${error.hint}`).toContain(place);
  expect(`${error.message} ${error.hint}`).toContain(detail);
});

test("an unknown preset is refused with the known ones", async () => {
  expect((await expectCode(resolve({}, "nanno"), "unknown-preset")).hint).toContain('did you mean "nano"');
});

test("options that differ are named with both values", () => {
  expect(differingOptions({ a: 1, b: { c: [1] }, d: 2 }, { a: 1, b: { c: [2] }, e: null })).toEqual([
    "b.c: [1], now [2]",
    "d: 2, now not there",
    "e: not there, now null",
  ]);
});

test("options that are expected of a run are compared member by member", async () => {
  const begun = {
    ...manifest,
    recipe: { id: "test", version: 1, paper: null },
    options: optionsToJson(resolveOptions(recipe, "nano", { warmUp: { rows: 2 } })),
  };
  expect(optionsOfRun(recipe, begun, { warmUp: { rows: 2 } })).toMatchObject({
    warmUp: { rows: 2, rates: [2] },
  });
  const other = Promise.resolve().then(() => optionsOfRun(recipe, begun, { warmUp: { rows: 3 } }));
  expect((await expectCode(other, "run-changed")).message).toBe(
    "options of the run differ: warmUp.rows: 2, now 3",
  );
});
