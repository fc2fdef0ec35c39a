/**
 * Runs that are killed again and again: a process that is told where to die, random places to die at,
 * and the life of a run through all of them to its end. Used by the tests beside it and by the long ones.
 */
import { execFile } from "node:child_process";
import { existsSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createRandom } from "../../src/base/index.ts";
import type { KillPlan, Moment } from "../fixtures/durability/kill-switch.ts";
import type { KillableRun } from "../fixtures/durability/run-killable.ts";

/** What is run, without where and how it dies. */
export type Killable = Omit<KillableRun, "folder" | "kill">;

export type MomentCounts = Readonly<Partial<Record<Moment, number>>>;

export const smallOnFake: Killable = {
  recipe: "small",
  engine: "fake",
  overrides: {},
  checkpointEverySteps: 1,
};

export const smallOnEmbedded: Killable = { ...smallOnFake, engine: "embedded" };

/** SPIN as it is shipped, on sixty single-digit sums. */
export const spinOnEmbedded: Killable = {
  recipe: "spin",
  engine: "embedded",
  overrides: {
    exampleCount: 60,
    heldOutCount: 20,
    annotations: { operators: ["+"], maxExpressionCharacters: 5, maxAnswerCharacters: 2 },
    architecture: { width: 16, layerCount: 1, headCount: 2 },
    warmUp: { epochs: 2, rowsPerUpdate: 16 },
    iterationCount: 2,
    pairsPerUpdate: 16,
    controls: [],
  },
  checkpointEverySteps: 1,
};

const program = join(import.meta.dirname, "../fixtures/durability/run-killable.ts");
/** Makes each start three times as fast. */
const compileCache = join(tmpdir(), "spar-compile-cache");
const processTimeoutMs = 120_000;
/** More than these runs need. */
const memoryLimitMiB = 96;

/** Runs or resumes until the end or the kill; what else ends the process is thrown. */
export function runKillable(
  killable: Killable,
  folder: string,
  kill: KillPlan | null = null,
): Promise<{ readonly isKilled: boolean; readonly counts: MomentCounts }> {
  const run: KillableRun = { ...killable, folder, kill };
  const limit = kill?.how === "memory" ? [`--max-old-space-size=${memoryLimitMiB}`] : [];
  const flags = [...limit, "--conditions=source", program, JSON.stringify(run)];
  const options = {
    timeout: processTimeoutMs,
    env: { ...process.env, NODE_COMPILE_CACHE: compileCache },
  };
  return new Promise((resolve, reject) => {
    const child = execFile(process.execPath, flags, options, (error, stdout, stderr) => {
      if (error === null) return resolve({ isKilled: false, counts: JSON.parse(stdout) as MomentCounts });
      if (kill !== null && child.signalCode === (kill.how === "memory" ? "SIGABRT" : "SIGKILL"))
        return resolve({ isKilled: true, counts: {} });
      return reject(new Error(`${describeKills([kill])}: ${stderr}`, { cause: error }));
    });
  });
}

/** The life of a run: dies at each place in turn, then ends. Returns how often it died. */
export async function liveThrough(
  killable: Killable,
  folder: string,
  kills: readonly KillPlan[],
): Promise<number> {
  let killedCount = 0;
  for (const kill of kills) {
    dropWhatNeverWasARun(folder);
    if ((await runKillable(killable, folder, kill)).isKilled) killedCount++;
  }
  dropWhatNeverWasARun(folder);
  await runKillable(killable, folder);
  return killedCount;
}

/** Killed before there was a run: what is left has no `run.json`. */
function dropWhatNeverWasARun(folder: string): void {
  if (!existsSync(join(folder, "run.json"))) rmSync(folder, { recursive: true, force: true });
}

/** Places to die at, drawn from those that an uninterrupted run passes; the first one is always reached. */
export function randomKills(counts: MomentCounts, options: { seed: number; count: number }): KillPlan[] {
  const random = createRandom(options.seed).split("kills");
  const moments = Object.entries(counts);
  return Array.from({ length: options.count }, (_value, index) => {
    const [moment, count] = random.pick(moments);
    // The first one strikes at its moment: a quick machine may be done before a later one.
    const isLater = random.integer(3) === 0 && index > 0;
    const afterMs = isLater ? random.integer(40) : 0;
    return { moment: moment as Moment, nth: 1 + random.integer(count), afterMs };
  });
}

/** For messages: `call 12, saving 1 + 20 ms`. */
export function describeKills(kills: readonly (KillPlan | null)[]): string {
  const words = kills.map((kill) => {
    if (kill === null) return "no kill";
    const later = (kill.afterMs ?? 0) > 0 ? ` + ${kill.afterMs} ms` : "";
    return `${kill.moment} ${kill.nth}${later}`;
  });
  return words.join(", ");
}
