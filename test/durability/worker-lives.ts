/**
 * Runs on a real PyTorch worker in which the worker, or the client, is killed in the middle of calls, and their whole
 * lives. Needs a Python with the worker's packages: SPAR_TEST_WORKER_PYTHON. Used by the test beside it and the long ones.
 */
import { execFile, execFileSync } from "node:child_process";
import { existsSync, mkdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { createRandom } from "../../src/base/index.ts";
import type { WorkerKill, WorkerRun } from "../fixtures/durability/run-on-worker.ts";

/** Every kind of call that `workerRecipe` makes. */
export const calls: readonly string[] = [
  "sample",
  "forward",
  "forwardBackward",
  "load",
  "forwardBackwardCustom",
  "publish",
  "optimStep",
  "computeLogprobs",
  "save",
];

/** The call is under way and cannot end. */
export const oneKillInEachCall: readonly WorkerKill[] = calls.map((call) => ({
  call,
  afterMs: 30,
  isFrozen: true,
}));

/** Anywhere: the call may have been carried out already, and its answer lost. */
export function randomWorkerKills(seed: number, count: number): WorkerKill[] {
  const random = createRandom(seed).split("worker kills");
  return Array.from({ length: count }, () => ({
    call: random.pick(calls),
    nth: 1 + random.integer(2),
    afterMs: random.integer(40),
    isFrozen: random.integer(4) === 0,
  }));
}

export interface Workplace {
  readonly python: string;
  readonly model: string;
  readonly dataFolder: string;
  readonly iterations: number;
}

export function makeWorkplace(root: string, python: string, iterations: number): Workplace {
  const model = join(root, "tiny-model");
  const program = join(import.meta.dirname, "../fixtures/python/make_tiny_model.py");
  execFileSync(python, [program, model], { env: { ...process.env, HF_HUB_OFFLINE: "1" }, stdio: "pipe" });
  const dataFolder = join(root, "data");
  mkdirSync(dataFolder);
  return { python, model, dataFolder, iterations };
}

export interface LifeReport {
  /** Places that were never reached. */
  readonly leftKills: number;
  /** How often a new worker took the place of one that died. */
  readonly goneOnCount: number;
}

/** A run whose worker dies in each place in turn. */
export function killWorkers(
  place: Workplace,
  folder: string,
  kills: readonly WorkerKill[],
): Promise<LifeReport | null> {
  return runOnWorker({ ...place, folder, whom: "worker", kills });
}

/** A run that dies with its process in each place in turn, and is resumed. Gives how often it died. */
export async function killClients(
  place: Workplace,
  folder: string,
  kills: readonly WorkerKill[],
): Promise<number> {
  let killedCount = 0;
  for (const kill of [...kills, null]) {
    if (!existsSync(join(folder, "run.json"))) rmSync(folder, { recursive: true, force: true });
    const run = { ...place, folder, whom: "client", kills: kill === null ? [] : [kill] } as const;
    if ((await runOnWorker(run)) !== null) continue;
    killedCount++;
    const worker = Number(readFileSync(join(place.dataFolder, "worker-pid"), "utf8"));
    // One that stands still cannot see that its client has gone.
    if (kill?.isFrozen === true && isAlive(worker)) process.kill(worker, "SIGCONT");
    await expectNoWorker(worker);
  }
  return killedCount;
}

const program = join(import.meta.dirname, "../fixtures/durability/run-on-worker.ts");
const compileCache = join(tmpdir(), "spar-compile-cache");
const processTimeoutMs = 900_000;

/** Null where the process was killed, as it was told to. */
function runOnWorker(run: WorkerRun): Promise<LifeReport | null> {
  const flags = ["--conditions=source", program, JSON.stringify(run)];
  const options = { timeout: processTimeoutMs, env: { ...process.env, NODE_COMPILE_CACHE: compileCache } };
  return new Promise((resolve, reject) => {
    const child = execFile(process.execPath, flags, options, (error, stdout, stderr) => {
      if (error === null) return resolve(JSON.parse(stdout) as LifeReport);
      if (run.whom === "client" && child.signalCode === "SIGKILL") return resolve(null);
      return reject(new Error(`${JSON.stringify(run.kills)}: ${stderr}`, { cause: error }));
    });
  });
}

const goneWithinMs = 30_000;

/** @throws where a worker outlives whoever started it */
async function expectNoWorker(processId: number): Promise<void> {
  for (let waitedMs = 0; waitedMs < goneWithinMs; waitedMs += 50) {
    if (!isAlive(processId)) return;
    await sleep(50);
  }
  throw new Error(`the worker ${processId} is still there ${goneWithinMs} ms after its client was killed`);
}

/** A process that has ended and that nobody has waited for yet is not alive. */
function isAlive(processId: number): boolean {
  try {
    const state = /^\d+ \(.*\) (\S)/u.exec(readFileSync(`/proc/${processId}/stat`, "utf8"))?.[1];
    return state !== "Z";
  } catch {
    return false;
  }
}
