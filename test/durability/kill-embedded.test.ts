/**
 * Promise 5 on the WebAssembly engine: a run that was killed inside generation, training and
 * checkpointing equals one that never stopped, weights bit for bit.
 */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import type { KillPlan } from "../fixtures/durability/kill-switch.ts";
import { contentOf } from "./content.ts";
import {
  describeKills,
  liveThrough,
  randomKills,
  runKillable,
  smallOnEmbedded,
  spinOnEmbedded,
  type Killable,
  type MomentCounts,
} from "./kill-lives.ts";

const root = mkdtempSync(join(tmpdir(), "spar-kill-"));
afterAll(() => rmSync(root, { recursive: true, force: true }));

async function expectSame(
  killable: Killable,
  name: string,
  plan: (counts: MomentCounts) => readonly (readonly KillPlan[])[],
): Promise<void> {
  const whole = join(root, `${name}-whole`);
  const { counts } = await runKillable(killable, whole);
  const uninterrupted = await contentOf(whole);
  for (const [index, kills] of plan(counts).entries()) {
    const folder = join(root, `${name}-${index}`);
    expect(await liveThrough(killable, folder, kills), describeKills(kills)).toBeGreaterThan(0);
    expect(await contentOf(folder), describeKills(kills)).toEqual(uninterrupted);
  }
}

test("a run on the embedded engine that is killed at every step boundary equals one that never stopped", async () => {
  await expectSame(smallOnEmbedded, "boundaries", ({ "step-end": boundaryCount }) => [
    Array.from({ length: boundaryCount ?? 0 }, () => ({ moment: "step-end", nth: 1 })),
  ]);
}, 240_000);

test("one that is killed while it samples, trains and saves equals one that never stopped", async () => {
  await expectSame(smallOnEmbedded, "inside", (counts) => [
    [
      { moment: "call", nth: 8, afterMs: 2 },
      { moment: "saving", nth: 1 },
      { moment: "record", nth: 9 },
      { moment: "commit", nth: 1 },
    ],
    randomKills(counts, { seed: 1, count: 4 }),
  ]);
}, 240_000);

test("SPIN that is killed at random moments equals SPIN that never stopped", async () => {
  await expectSame(spinOnEmbedded, "spin", (counts) => [
    randomKills(counts, { seed: 2, count: 3 }),
    randomKills(counts, { seed: 3, count: 3 }),
  ]);
}, 240_000);
