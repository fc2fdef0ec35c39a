/**
 * A database, its log, `run.json` that are cut at any byte or in which bits flip: recovered from or
 * refused with a clear error, never read as something else.
 */
import { cpSync, mkdtempSync, readFileSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { createRandom } from "../../src/base/index.ts";
import { copyDamaged, judgeDamaged, randomDamage, recordsOf, writeRun, type Damage } from "./damage.ts";

const root = mkdtempSync(join(tmpdir(), "spar-damage-"));
const closed = join(root, "closed");
const target = join(root, "target");
/** Copies that were taken while the run was open. */
const live: string[] = [];
let truth = new Map<string, string>();

beforeAll(async () => {
  await writeRun(closed, {
    stepCount: 9,
    textLength: 300,
    betweenCommits: (count) => {
      if (count % 2 === 0) return;
      live.push(join(root, `live-${count}`));
      cpSync(closed, live.at(-1)!, { recursive: true });
    },
  });
  truth = recordsOf(closed);
});

afterAll(() => rmSync(root, { recursive: true, force: true }));

/** How often a damaged copy was refused, and how many steps the others had. */
async function judgeAll(
  folder: string,
  damages: readonly Damage[],
): Promise<{ readonly refusedCount: number; readonly stepCounts: ReadonlySet<number> }> {
  let refusedCount = 0;
  const stepCounts = new Set<number>();
  for (const damage of damages) {
    copyDamaged(folder, target, damage);
    try {
      const verdict = await judgeDamaged(target, truth);
      if (verdict.kind === "refused") refusedCount++;
      else stepCounts.add(verdict.stepCount);
    } catch (thrown) {
      throw new Error(`${folder}: ${JSON.stringify(damage)}`, { cause: thrown });
    }
  }
  return { refusedCount, stepCounts };
}

const draw = (seed: number, count: number, folder: string, file: string): Damage[] => {
  const random = createRandom(seed);
  return Array.from({ length: count }, () => randomDamage(random, folder, [file]));
};

test("a folder without damage gives everything", async () => {
  const verdict = await judgeAll(closed, [{ file: "run.lock", kind: "cut", offset: 0, bit: 0 }]);
  expect(verdict).toEqual({ refusedCount: 0, stepCounts: new Set([9]) });
  for (const folder of live) expect(statSync(join(folder, "run.sqlite-wal")).size).toBeGreaterThan(30_000);
});

test("a database in which a bit flips gives the truth or is refused", async () => {
  const flips = draw(1, 150, closed, "run.sqlite").map((damage) => ({ ...damage, kind: "flip" as const }));
  const { refusedCount, stepCounts } = await judgeAll(closed, flips);
  expect(refusedCount, "many bits matter").toBeGreaterThan(25);
  expect(stepCounts, "others lie in free space").toEqual(new Set([9]));
}, 240_000);

test("a database that is cut anywhere is refused", async () => {
  const cuts = draw(2, 60, closed, "run.sqlite").map((damage) => ({ ...damage, kind: "cut" as const }));
  expect(await judgeAll(closed, cuts)).toEqual({ refusedCount: 60, stepCounts: new Set() });
}, 240_000);

test("a log that is cut, flipped or lost gives whole commits up to there, and the run goes on", async () => {
  const seen = new Set<number>();
  for (const [index, folder] of live.entries()) {
    const damages = draw(3 + index, 25, folder, "run.sqlite-wal");
    const lost: Damage = { file: "run.sqlite-wal", kind: "lose", offset: 0, bit: 0 };
    const { stepCounts } = await judgeAll(folder, [...damages, lost]);
    for (const stepCount of stepCounts) seen.add(stepCount);
  }
  expect(seen.size, "cuts end at many commits").toBeGreaterThan(3);
}, 240_000);

test("a database that is damaged below its log gives the truth or is refused", async () => {
  for (const [index, folder] of live.entries()) {
    // Each page of the database is in the log as well, and the index of the log is made anew.
    const damages = [
      ...draw(20 + index, 12, folder, "run.sqlite"),
      ...draw(30 + index, 6, folder, "run.sqlite-shm"),
    ];
    expect((await judgeAll(folder, damages)).stepCounts.size).toBe(1);
  }
}, 240_000);

test("run.json in which a character changes is refused, or means the same", async () => {
  const { length } = readFileSync(join(closed, "run.json"));
  const flips = Array.from({ length }, (_value, offset): Damage => ({
    file: "run.json",
    kind: "flip",
    offset,
    bit: offset % 7,
  }));
  const { refusedCount } = await judgeAll(closed, flips);
  expect(refusedCount).toBeGreaterThan(length * 0.8);
}, 240_000);
