/**
 * Kills and damage by seed, for as long as one likes: each seed is a run of its own, and a problem comes
 * with the command that shows it again. Used by `npm run test:long`.
 */
import { cpSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { isDeepStrictEqual } from "node:util";
import { createRandom, messageOf } from "../../src/base/index.ts";
import { contentOf } from "./content.ts";
import { copyDamaged, judgeDamaged, randomDamage, recordsOf, writeRun } from "./damage.ts";
import {
  describeKills,
  liveThrough,
  randomKills,
  runKillable,
  smallOnEmbedded,
  smallOnFake,
  spinOnEmbedded,
  type MomentCounts,
} from "./kill-lives.ts";
import { killClients, killWorkers, makeWorkplace, randomWorkerKills } from "./worker-lives.ts";

export interface SeedRange {
  readonly first: number;
  readonly last: number;
}

export type OnSeed = (seed: number, problem: string | null) => void;

const killables = [smallOnEmbedded, spinOnEmbedded, { ...smallOnFake, checkpointEverySteps: 2 }] as const;

/** Runs that die one to six times at random moments, on both engines, and are compared with whole ones. */
export async function killSeeds({ first, last }: SeedRange, onSeed: OnSeed): Promise<void> {
  const root = mkdtempSync(join(tmpdir(), "spar-kill-"));
  const whole: { readonly counts: MomentCounts; readonly content: unknown }[] = [];
  for (const [index, killable] of killables.entries()) {
    const folder = join(root, `whole-${index}`);
    // What is repeated after a kill must equal a run that saved every step.
    const { counts } = await runKillable({ ...killable, checkpointEverySteps: 1 }, folder);
    whole.push({ counts, content: await contentOf(folder) });
  }
  for (let seed = first; seed <= last; seed++) {
    const index = seed % killables.length;
    const [killable, reference] = [killables[index], whole[index]];
    if (killable === undefined || reference === undefined) continue;
    const random = createRandom(seed);
    const kills = randomKills(reference.counts, { seed, count: 1 + random.integer(6) }).map((kill) =>
      random.integer(8) === 0 ? ({ ...kill, how: "memory" } as const) : kill,
    );
    const folder = join(root, String(seed));
    const problem = await problemOf(async () => {
      await liveThrough(killable, folder, kills);
      if (!isDeepStrictEqual(await contentOf(folder), reference.content))
        throw new Error(`${killable.recipe} on ${killable.engine} ended otherwise: ${describeKills(kills)}`);
    });
    onSeed(seed, problem);
    rmSync(folder, { recursive: true, force: true });
  }
  rmSync(root, { recursive: true, force: true });
}

/** Runs on a PyTorch worker: with even seeds the worker dies, with odd ones the client. */
export async function killWorkerSeeds(
  { first, last }: SeedRange,
  python: string,
  onSeed: OnSeed,
): Promise<void> {
  const root = mkdtempSync(join(tmpdir(), "spar-kill-worker-"));
  try {
    const place = makeWorkplace(root, python, 3);
    await killWorkers(place, join(root, "whole"), []);
    const whole = await contentOf(join(root, "whole"));
    for (let seed = first; seed <= last; seed++) {
      const folder = join(root, String(seed));
      const kills = randomWorkerKills(seed, 3);
      const problem = await problemOf(async () => {
        await (seed % 2 === 0 ? killWorkers : killClients)(place, folder, kills);
        if (!isDeepStrictEqual(await contentOf(folder), whole))
          throw new Error(`the run ended otherwise: ${JSON.stringify(kills)}`);
      });
      onSeed(seed, problem);
      rmSync(folder, { recursive: true, force: true });
    }
  } finally {
    rmSync(root, { recursive: true, force: true });
  }
}

const damagesPerSeed = 60;
const files = ["run.sqlite", "run.sqlite", "run.sqlite-wal", "run.sqlite-wal", "run.sqlite-shm", "run.json"];

/** Runs of random size, copied open and closed, each damaged sixty times at random places. */
export async function damageSeeds({ first, last }: SeedRange, onSeed: OnSeed): Promise<void> {
  for (let seed = first; seed <= last; seed++) {
    const root = mkdtempSync(join(tmpdir(), "spar-damage-"));
    onSeed(seed, await problemOf(() => damageOnce(root, seed)));
    rmSync(root, { recursive: true, force: true });
  }
}

async function damageOnce(root: string, seed: number): Promise<void> {
  const random = createRandom(seed);
  const closed = join(root, "closed");
  const copies = [closed];
  await writeRun(closed, {
    stepCount: 1 + random.integer(12),
    // Some runs grow so fast that their log is written back while they go on.
    textLength: random.pick([10, 300, 5_000, 150_000]),
    betweenCommits: (count) => {
      if (random.integer(3) > 0) return;
      copies.push(join(root, `live-${count}`));
      cpSync(closed, join(root, `live-${count}`), { recursive: true });
    },
  });
  const truth = recordsOf(closed);
  const target = join(root, "target");
  for (let round = 0; round < damagesPerSeed; round++) {
    const folder = random.pick(copies);
    const damage = randomDamage(random, folder, folder === closed ? ["run.sqlite", "run.json"] : files);
    copyDamaged(folder, target, damage);
    try {
      await judgeDamaged(target, truth);
    } catch (thrown) {
      throw new Error(`${JSON.stringify(damage)}: ${messageOf(thrown)}`, { cause: thrown });
    }
  }
}

async function problemOf(work: () => Promise<void>): Promise<string | null> {
  try {
    await work();
    return null;
  } catch (thrown) {
    return messageOf(thrown);
  }
}
