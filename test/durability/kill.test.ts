/**
 * Promise 5: a run that was killed and resumed equals one that never stopped, bit for bit on a
 * deterministic engine: result, transcripts, verdicts and rewards, metrics, reports, weights. This
 * file kills often, on the fake engine; `kill-embedded.test.ts` on the real one, and
 * `npm run test:long -- kill` as long as one likes.
 */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { KillPlan, Moment } from "../fixtures/durability/kill-switch.ts";
import { contentOf } from "./content.ts";
import {
  describeKills,
  liveThrough,
  randomKills,
  runKillable,
  smallOnFake,
  type Killable,
  type MomentCounts,
} from "./kill-lives.ts";

const root = mkdtempSync(join(tmpdir(), "spar-kill-"));
let uninterrupted: unknown;
let counts: MomentCounts = {};

beforeAll(async () => {
  const folder = join(root, "whole");
  ({ counts } = await runKillable(smallOnFake, folder));
  uninterrupted = await contentOf(folder);
}, 240_000);

afterAll(() => rmSync(root, { recursive: true, force: true }));

async function expectSameAfter(
  kills: readonly KillPlan[],
  name: string,
  killable: Killable = smallOnFake,
): Promise<void> {
  const folder = join(root, name);
  const killedCount = await liveThrough(killable, folder, kills);
  expect(killedCount, "the run was killed").toBeGreaterThan(0);
  expect(await contentOf(folder), describeKills(kills)).toEqual(uninterrupted);
}

/** One after the other: each process goes on where the last one died. */
const eachTime = (moment: Moment, count: number): KillPlan[] =>
  Array.from({ length: count }, () => ({ moment, nth: 1 }));

test("the kills of these tests strike where they should", () => {
  const { commit, committed, saving, installed, call, record } = counts;
  expect({ commit, committed }).toEqual({ commit: 10, committed: 10 });
  expect(installed).toBe(saving);
  expect(saving).toBeGreaterThan(3);
  expect(call).toBeGreaterThan(50);
  expect(record).toBeGreaterThan(30);
});

test("a run that is killed at every step boundary equals one that never stopped", async () => {
  await expectSameAfter(eachTime("step-end", 10), "boundaries");
}, 240_000);

test("a run that is killed after each commit, before anything follows from it, equals one that never stopped", async () => {
  await expectSameAfter(eachTime("committed", 10), "committed");
}, 240_000);

test("a run that is killed while checkpoints are written, moved and before they are committed equals one that never stopped", async () => {
  const kills = Array.from({ length: 3 }, (): Moment[] => ["saving", "install", "installed", "commit"]);
  // Before a commit no step gets done: the one after it lets the next one have its turn.
  const moments = kills.flatMap((round) => [...round, "committed" as const]);
  await expectSameAfter(
    moments.map((moment) => ({ moment, nth: 1 })),
    "checkpoints",
  );
}, 240_000);

test("a run that is killed at random moments inside steps equals one that never stopped", async () => {
  for (let seed = 0; seed < 4; seed++)
    await expectSameAfter(randomKills(counts, { seed, count: 3 }), `random-${seed}`);
}, 240_000);

test("a run that is killed at any time at all equals one that never stopped", async () => {
  const kills = [3, 9, 14, 22, 30].map((afterMs, index): KillPlan => {
    const moment = index % 2 === 0 ? "step-start" : "call";
    return { moment, nth: 1 + index, afterMs };
  });
  await expectSameAfter(kills, "any-time");
}, 240_000);

test("a run that used up its memory equals, once it has gone on, one that had enough", async () => {
  const kills = (["step-start", "record", "saving", "commit"] as const).map((moment, index): KillPlan => ({
    moment,
    nth: 2 + index,
    how: "memory",
  }));
  await expectSameAfter(kills, "memory");
}, 240_000);

test("steps after the last save are repeated, and then equal those of a run that never stopped", async () => {
  const kills: KillPlan[] = [
    { moment: "step-end", nth: 3 },
    { moment: "step-end", nth: 2 },
    { moment: "call", nth: 30 },
    { moment: "step-end", nth: 4 },
  ];
  await expectSameAfter(kills, "seldom", { ...smallOnFake, checkpointEverySteps: 3 });
}, 240_000);
