/** Self-play from nothing, whole: on the exact fake engine, with its plan, its alarms and its refusals. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { systemClock, type JsonObject, type JsonValue } from "spar/base";
import { openRunReader } from "spar/store";
import { createFakeEngine, expectCode } from "spar/testing";
import { randomOfRun, resolveOptions, resumeRun, startRun, type Cell, type RunEvent } from "spar/train";
import { afterAll, expect, test } from "vitest";
import { collapseAlarms, countOutcomes, emptyCounts, forfeitShare, type OutcomeCounts } from "./health.ts";
import { recipe } from "./recipe.ts";

const root = mkdtempSync(join(tmpdir(), "spar-games-"));
afterAll(() => rmSync(root, { recursive: true, force: true }));

/** Two rounds of two updates of six games: every step of the recipe, in a second. */
const small: JsonObject = {
  architecture: { width: 8, layerCount: 1, headCount: 2 },
  updateCount: 2,
  updatesPerRound: 1,
  gamesPerUpdate: 6,
};

async function play(
  name: string,
  overrides: JsonObject = {},
  observer: (event: RunEvent) => void = () => undefined,
): Promise<{ folder: string; result: JsonValue }> {
  const folder = join(root, name);
  const { result } = await startRun({
    recipe,
    folder,
    preset: "nano",
    overrides: { ...small, ...overrides },
    seed: 3,
    engineName: "fake",
    engineFactory: async () => createFakeEngine({}),
    clock: systemClock,
    software: { spar: "test", node: "test", commit: null },
    observer,
  });
  return { folder, result };
}

test("it plays, learns, measures exactly and trains its control, and does the same again", async () => {
  const first = await play("one");
  const again = await play("again");
  expect(again.result).toEqual(first.result);
  using reader = openRunReader(first.folder);
  const metrics = [...reader.metrics()];
  const named = (name: string): number[] =>
    metrics.filter((metric) => metric.name === name).map(({ index }) => index);
  expect(named("policy/x-loses")).toEqual([0, 1, 2]);
  expect(named("control-random-opponent/x-loses")).toEqual([0, 1, 2]);
  expect(metrics.filter(({ name }) => name === "mismatch/alarm").every(({ value }) => value === 0)).toBe(
    true,
  );
});

test.each([
  { opponent: "pool" },
  { opponent: "random" },
  { policyPerSeat: true },
  { baseline: "role" },
  { baseline: "batch" },
])("every way to play runs: %o", async (overrides) => {
  const name = JSON.stringify(overrides).replaceAll(/\W/gu, "");
  const { result } = await play(name, { ...overrides, controls: [], updateCount: 1 });
  expect(result).toHaveProperty("end");
});

test.each([false, true])(
  "a control begins with the weights that the policy began with (per seat: %s)",
  async (policyPerSeat) => {
    const { folder } = await play(`weights-${policyPerSeat}`, { updateCount: 1, policyPerSeat });
    using reader = openRunReader(folder);
    // Exact figures of untrained weights differ from seed to seed in the third digit.
    const first = (name: string): number[] =>
      ["x-loses", "o-loses", "illegal"].flatMap((figure) =>
        [...reader.metrics()]
          .filter((metric) => metric.name === `${name}/${figure}` && metric.index === 0)
          .map(({ value }) => value),
      );
    expect(first("policy")).toHaveLength(3);
    expect(first("control-random-opponent")).toEqual(first("policy"));
  },
);

test("of hidden cards it shows what was learned in every situation, averaged, and rates with the equilibrium", async () => {
  const tables = new Map<string, { readonly title: string; readonly rows: (readonly Cell[])[] }>();
  const overrides = { game: "kuhn-poker", controls: [], baseline: "history", randomOpeningShare: 0 };
  const { result } = await play("kuhn", overrides, (event) => {
    if (event.kind !== "report") return;
    const { event: told } = event;
    if (told.kind === "table-start") tables.set(told.table, { title: told.title, rows: [] });
    if (told.kind === "table-row") tables.get(told.table)?.rows.push(told.cells);
  });
  const rowsOfTable = (start: string): readonly (readonly Cell[])[] =>
    [...tables.values()].find(({ title }) => title.startsWith(start))?.rows ?? [];
  const situations = rowsOfTable("What it plays");
  expect(situations.map(([seat]) => seat)).toEqual([...Array(6).fill("first"), ...Array(6).fill("second")]);
  // The shares of replies and of illegal ones add up to one.
  for (const [, , ...shares] of situations)
    expect(shares.reduce<number>((sum, share) => sum + Number(share), 0)).toBeCloseTo(1, 6);
  expect(rowsOfTable("Ratings").map(([name]) => name)).toContain("perfect");
  expect(result).toHaveProperty("end.by self-play.NashConv");
});

test.each([
  { game: "tic-tac-toe", opponent: "pool" },
  // Two policies in one game, each with its own weights, optimizer and entropy bonus.
  { game: "kuhn-poker", policyPerSeat: true, baseline: "role" },
])("a run that stopped between rounds ends as one that did not: %o", async (options) => {
  const overrides = { ...small, ...options, controls: [] };
  const whole = await play(`whole-${options.game}`, overrides);
  const folder = join(root, `stopped-${options.game}`);
  const stop = new AbortController();
  const common = {
    recipe,
    folder,
    engineFactory: async () => createFakeEngine({}),
    clock: systemClock,
  };
  const stopped = startRun({
    ...common,
    preset: "nano",
    overrides,
    seed: 3,
    engineName: "fake",
    software: { spar: "test", node: "test", commit: null },
    signal: stop.signal,
    observer: (event) => {
      if (event.kind === "step-end" && event.name === "policy-1") stop.abort(new Error("enough"));
    },
  });
  await expectCode(stopped, "aborted");
  expect((await resumeRun(common)).result).toEqual(whole.result);
});

const counts = (won: Readonly<Record<string, number>>, forfeited = 0): OutcomeCounts => ({
  games: 100,
  seats: Object.fromEntries(Object.entries(won).map(([seat, count]) => [seat, { won: count, forfeited }])),
});

test("a seat that wins everything raises the alarm at its step, a healthy round none", () => {
  const options = resolveOptions(recipe, "nano");
  expect(collapseAlarms(options, counts({ X: 55, O: 30 }), 60)).toEqual([]);
  expect(collapseAlarms(options, counts({ X: 93, O: 2 }), 60)).toEqual([
    expect.stringContaining("Alarm at update 60: seat X won 93 %"),
  ]);
  expect(collapseAlarms(options, counts({ X: 10, O: 10 }, 60), 60)).toHaveLength(2);
  expect(collapseAlarms(options, counts({ X: 10, O: 10 }, 60), 30), "untrained policies forfeit").toEqual([]);
});

test("failed games count nowhere", () => {
  const failed = { outcome: null } as Parameters<typeof countOutcomes>[1][number];
  expect(countOutcomes(emptyCounts, [failed])).toEqual(emptyCounts);
  expect(forfeitShare(emptyCounts)).toBe(0);
});

test("the plan says what a run does and costs", async () => {
  const { lines, diskBytes } = await recipe.plan(resolveOptions(recipe, "nano"), randomOfRun(1));
  const value = (name: string): unknown => lines.find((line) => line.name === name)?.value;
  const { updateCount, gamesPerUpdate } = resolveOptions(recipe, "nano");
  expect(value("games of self-play")).toBe(updateCount * gamesPerUpdate);
  expect(value("games of controls")).toBe(2 * updateCount * gamesPerUpdate);
  expect(diskBytes).toBeGreaterThan(1e6);
});

test("options that contradict each other are refused with both values", () => {
  const resolve = (overrides: JsonObject) => (): unknown => resolveOptions(recipe, "nano", overrides);
  expect(resolve({ updateCount: 10 })).toThrow("updatesPerRound = 30 must not be above updateCount = 10");
  for (const architecture of [{ width: 10 }, { width: 10, headCount: 1 }, { width: 8, headCount: 4 }])
    expect(resolve({ architecture })).toThrow("width must be headCount times a multiple of 4");
  const controls = ["random-opponent", "random-opponent"];
  expect(resolve({ controls })).toThrow("controls must name each control once");
});
