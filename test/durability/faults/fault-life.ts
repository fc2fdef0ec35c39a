/**
 * The life of a run through random faults: some processes in which things go wrong, then one in which
 * nothing does. What must hold after each: it ended within its time, finished or with a typed error;
 * what was finished before is still there; nothing is counted twice; no timer, file or thread is left. At
 * the end the run is whole, and where no fault may leave a trace it equals one that met none.
 */
import { existsSync, readdirSync, readlinkSync } from "node:fs";
import { join } from "node:path";
import { isDeepStrictEqual } from "node:util";
import { assert, createRandom, isSparError, messageOf } from "../../../src/base/index.ts";
import { openRunReader } from "../../../src/store/index.ts";
import { resumeRun, startRun } from "../../../src/train/index.ts";
import { makeSmallRecipe } from "../../fixtures/durability/small-recipe.ts";
import { contentOf } from "../content.ts";
import { checkKept, finishedIn } from "../finished.ts";
import { drawFaults, leavesTrace, type Fault } from "./fault-plan.ts";
import type { EngineUnderFault } from "./engines-under-fault.ts";
import { FaultyWorld } from "./faulty-world.ts";
import { threadsAlive } from "./threads.ts";

/** Far beyond every deadline of these runs, which are fractions of a second; a machine may be busy. */
const attemptLimitMs = 120_000;
export interface LifeReport {
  /** What came of each process: `finished`, or the code of its error. */
  readonly ends: readonly string[];
  readonly struck: readonly Fault[];
  /** Whether its end had to equal that of a run without faults, and did. */
  readonly isCompared: boolean;
}

/** @throws where anything that must hold did not */
export async function liveThroughFaults(
  folder: string,
  seed: number,
  { engine, uninterrupted }: { readonly engine: EngineUnderFault; readonly uninterrupted: unknown },
): Promise<LifeReport> {
  const random = createRandom(seed).split("faults");
  const ends: string[] = [];
  const struck: Fault[] = [];
  let before = finishedIn(folder);
  const attemptCount = 1 + random.integer(4);
  // In a hurry nearly everything misses its deadline at some time.
  const { hastyWaitMs, waitMs, hasThread } = engine;
  const hurry = random.pick([hastyWaitMs, waitMs, waitMs, waitMs]);
  for (let attempt = 0; ends.at(-1) !== "finished" || attempt <= attemptCount; attempt++) {
    const faults = attempt < attemptCount ? drawFaults(random, hasThread) : [];
    // Without faults nothing may depend on how busy the machine is.
    const world = new FaultyWorld(engine, faults, faults.length > 0 ? hurry : attemptLimitMs);
    const { code: end, message } = await runOnce(folder, engine, world);
    ends.push(end);
    struck.push(...world.struck);
    const after = finishedIn(folder);
    try {
      checkKept(before, after);
      await checkNothingLeft(folder);
      // Failures that an interrupted process recorded count as if it had gone on: once more, not twice.
      const mayFail = faults.length > 0 || (end === "too-many-failures" && attempt === attemptCount);
      assert(mayFail || end === "finished", `without faults the run must finish, got ${end}`);
    } catch (thrown) {
      const told = JSON.stringify({ attempt, faults, ends, message });
      throw new Error(`${messageOf(thrown)}; ${told}`, { cause: thrown });
    }
    before = after;
  }
  checkNoDrafts(folder);
  const content = await contentOf(folder);
  const mayDiffer = struck.some(leavesTrace) || hasFailedCalls(folder);
  assert(
    mayDiffer || isDeepStrictEqual(content, uninterrupted),
    `the run ended otherwise than one without faults; ${JSON.stringify({ ends, struck })}`,
  );
  return { ends, struck, isCompared: !mayDiffer };
}

/** Starts or resumes; gives the code of the error, or `finished`. */
async function runOnce(
  folder: string,
  engine: EngineUnderFault,
  world: FaultyWorld,
): Promise<{ readonly code: string; readonly message: string }> {
  const common = {
    recipe: makeSmallRecipe(world.hooks),
    folder,
    engineFactory: world.engineFactory,
    clock: world.clock,
    signal: world.stop.signal,
    engineTimeoutMs: world.waitMs,
    stopTimeoutMs: world.waitMs,
  };
  const start = {
    ...common,
    preset: "nano",
    seed: 11,
    engineName: engine.name,
    software: { spar: "test", node: "test", commit: null },
  };
  const mendDisk = world.breakDisk();
  const patience = setTimeout(() => world.stop.abort(), world.waitMs + engine.patienceMs);
  const limit = Promise.withResolvers<never>();
  const limitTimer = setTimeout(() => limit.reject(new Error("the run did not end")), 2 * attemptLimitMs);
  try {
    const run = existsSync(folder) ? resumeRun(common) : startRun(start);
    await Promise.race([run, limit.promise]);
    return { code: "finished", message: "" };
  } catch (thrown) {
    assert(isSparError(thrown), `expected a typed error, got ${String(thrown)}`);
    assert(thrown.message !== "", "expected an error with a message");
    return { code: thrown.code, message: thrown.message };
  } finally {
    mendDisk();
    clearTimeout(patience);
    clearTimeout(limitTimer);
  }
}

/** On a busy machine a service may miss its deadline without having been told to. */
function hasFailedCalls(folder: string): boolean {
  using reader = openRunReader(folder);
  return [...reader.episodes()].some(({ start }) => {
    const { calls, refusals } = reader.episode(start.id);
    return refusals.length > 0 || calls.some(({ call }) => call.failure !== null);
  });
}

/** What is under way when a run ends has its own deadline: it is given the time, and no more. */
async function checkNothingLeft(folder: string): Promise<void> {
  const endMs = performance.now() + attemptLimitMs;
  for (;;) {
    const threads = threadsAlive().map(({ threadId }) => `thread ${threadId}`);
    const left = [...timersLeft(), ...filesLeft(folder), ...threads];
    if (left.length === 0) return;
    assert(performance.now() < endMs, `left behind: ${left.join(", ")}`);
    await new Promise<void>((resolve) => setTimeout(resolve, 5));
    // By then this timer itself is no longer among them.
    await new Promise<void>((resolve) => setImmediate(resolve));
  }
}

/** What an engine that died or was too late has half written goes when the run goes on. */
function checkNoDrafts(folder: string): void {
  const drafts = readdirSync(join(folder, "checkpoints")).filter((name) => /\.tmp|\.partial/u.test(name));
  assert(drafts.length === 0, `left behind: ${drafts.join(", ")}`);
}

function timersLeft(): string[] {
  return process.getActiveResourcesInfo().filter((kind) => kind === "Timeout");
}

function filesLeft(folder: string): string[] {
  const open = readdirSync("/proc/self/fd").flatMap((name) => linkOf(`/proc/self/fd/${name}`));
  return open.filter((path) => path.startsWith(folder));
}

function linkOf(path: string): string[] {
  try {
    return [readlinkSync(path)];
  } catch {
    // The descriptor that read the folder itself.
    return [];
  }
}
