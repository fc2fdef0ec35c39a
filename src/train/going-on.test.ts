/** A run whose engine is lost goes on from its last commit with a new one, whatever engine it is. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { systemClock } from "../base/index.ts";
import { engineError, type Engine } from "../contract/index.ts";
import { createFakeEngine } from "../testing/index.ts";
import { contentOf } from "../../test/durability/content.ts";
import { interceptEngine } from "../../test/fixtures/durability/intercept-engine.ts";
import { smallRecipe } from "../../test/fixtures/durability/small-recipe.ts";
import { startRun, type RunEvent } from "./index.ts";

let root = "";
beforeAll(() => void (root = mkdtempSync(join(tmpdir(), "spar-going-on-"))));
afterAll(() => rmSync(root, { recursive: true, force: true }));

interface LifeOptions {
  /** How many calls each engine answers before it is lost; those without a number answer all. */
  readonly answers: readonly number[];
  readonly code?: "engine-lost" | "answer-lost" | "engine-failed";
}

/** Engines that are lost, one after another, as a worker that is killed: all calls from then on fail. */
function mortalEngines({ answers, code = "engine-lost" }: LifeOptions): {
  make: () => Engine;
  madeCount: () => number;
} {
  let madeCount = 0;
  const make = (): Engine => {
    let left = answers[madeCount++] ?? Infinity;
    return interceptEngine(createFakeEngine(), async (_call, perform) => {
      left--;
      if (left < 0) throw engineError(code, "the engine is gone");
      return perform();
    });
  };
  return { make, madeCount: () => madeCount };
}

async function live(
  name: string,
  options: LifeOptions,
): Promise<{ readonly events: RunEvent[]; readonly folder: string; readonly madeCount: number }> {
  const { make, madeCount } = mortalEngines(options);
  const events: RunEvent[] = [];
  const folder = join(root, name);
  try {
    await startRun({
      recipe: smallRecipe,
      folder,
      preset: "nano",
      seed: 11,
      engineName: "fake",
      engineFactory: async () => make(),
      software: { spar: "test", node: "test", commit: null },
      clock: systemClock,
      observer: (event) => void events.push(event),
    });
    return { events, folder, madeCount: madeCount() };
  } catch (thrown) {
    throw Object.assign(thrown as Error, { events, madeCount: madeCount() });
  }
}

test("a run whose engine is lost anywhere ends as one whose engine was not", async () => {
  const whole = await contentOf((await live("whole", { answers: [] })).folder);
  for (const count of [3, 17, 30, 48]) {
    const { folder, madeCount } = await live(`lost-${count}`, { answers: [count] });
    expect(madeCount).toBe(2);
    expect(await contentOf(folder), `lost after ${count} calls`).toEqual(whole);
  }
  const { folder, madeCount } = await live("lost-often", { answers: [12, 24, 36] });
  expect(madeCount).toBe(4);
  expect(await contentOf(folder)).toEqual(whole);
}, 60_000);

test("an answer that was lost is gone back from in the same way", async () => {
  const { madeCount } = await live("answer", { answers: [20], code: "answer-lost" });
  expect(madeCount).toBe(2);
});

test("the past is told once, with a notice between, and one end", async () => {
  const { events } = await live("told", { answers: [30] });
  const kinds = events.map(({ kind }) => kind);
  expect(kinds.filter((kind) => kind === "run-start")).toHaveLength(1);
  expect(kinds.filter((kind) => kind === "run-end")).toHaveLength(1);
  expect(events.at(-1)).toEqual({ kind: "run-end", outcome: "finished" });
  expect(events.some((event) => "isReplayed" in event && event.isReplayed)).toBe(false);
  expect(events).toContainEqual({
    kind: "notice",
    text: expect.stringMatching(/the engine is gone\nthe run goes on from its last checkpoint/u),
  });
  const ended = events.flatMap((event) => (event.kind === "step-end" ? [event.name] : []));
  expect(new Set(ended).size).toBe(ended.length);
});

test("a second loss before another step was finished is the run's failure", async () => {
  await expect(live("hopeless", { answers: [30, 4, 4] })).rejects.toMatchObject({
    code: "engine-lost",
    madeCount: 2,
    events: expect.arrayContaining([{ kind: "run-end", outcome: "failed" }]),
  });
});

test("what a new engine would only meet again ends the run at once", async () => {
  const failed = live("failed", { answers: [30], code: "engine-failed" });
  await expect(failed).rejects.toMatchObject({ code: "engine-failed", madeCount: 1 });
});
