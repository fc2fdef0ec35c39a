/**
 * Tests that go on for as long as one likes: kills, faults and damage over a range of seeds, ten simulated
 * hours. A problem comes with the command that shows it again.
 *
 *     npm run test:long -- kill --seeds 1-100
 *     SPAR_TEST_WORKER_PYTHON=path npm run test:long -- kill-worker --seeds 1-20
 *     npm run test:long -- faults --seeds 1-1000
 *     npm run test:long -- faults --engine embedded --seeds 1-100
 *     npm run test:long -- damage --seeds 1-200
 *     npm run test:long -- ten-hours
 */
import { parseArgs } from "node:util";
import { faultyEngineNames, type FaultyEngineName } from "../test/durability/faults/engines-under-fault.ts";
import { runSeeds } from "../test/durability/faults/run-seeds.ts";
import {
  damageSeeds,
  killSeeds,
  killWorkerSeeds,
  type OnSeed,
  type SeedRange,
} from "../test/durability/long-seeds.ts";
import { figuresOf, problemsOf, runForHours } from "../test/durability/ten-hours.ts";

const problems: string[] = [];
const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    seeds: { type: "string", default: "1-20" },
    engine: { type: "string", default: "fake" },
  },
});
const [kind = ""] = positionals;
const startMs = performance.now();

switch (kind) {
  case "kill":
    await killSeeds(rangeOf(values.seeds), tellSeed);
    break;
  case "kill-worker":
    await killWorkerSeeds(rangeOf(values.seeds), workerPython(), tellSeed);
    break;
  case "damage":
    await damageSeeds(rangeOf(values.seeds), tellSeed);
    break;
  case "faults":
    await runFaults(rangeOf(values.seeds), engineOf(values.engine));
    break;
  case "ten-hours":
    await runTenHours();
    break;
  default:
    console.error(`expected kill, kill-worker, faults, damage or ten-hours, got "${kind}"`);
    process.exit(2);
}
const minutes = (performance.now() - startMs) / 60_000;
console.log(`${kind}: ${problems.length} problems in ${minutes.toFixed(1)} minutes`);
for (const problem of problems) console.log(problem);
process.exitCode = problems.length === 0 ? 0 : 1;

function rangeOf(text: string): SeedRange {
  const [first = Number.NaN, last = first] = text.split("-").map(Number);
  if (Number.isSafeInteger(first) && Number.isSafeInteger(last) && first <= last) return { first, last };
  console.error(`expected seeds like 1-100, got "${text}"`);
  return process.exit(2);
}

/** A Python that has the packages of the worker. */
function workerPython(): string {
  const python = process.env["SPAR_TEST_WORKER_PYTHON"];
  if (python !== undefined && python !== "") return python;
  console.error("expected SPAR_TEST_WORKER_PYTHON to name a Python with the worker's packages");
  return process.exit(2);
}

function tellSeed(...[seed, problem]: Parameters<OnSeed>): void {
  if (problem !== null)
    problems.push(`${problem}\n  again: npm run test:long -- ${kind} --seeds ${seed}-${seed}`);
  const state = problem === null ? "ok" : "PROBLEM";
  if (problem !== null || seed % 10 === 0) console.log(`seed ${seed}: ${state}`);
}

function engineOf(name: string): FaultyEngineName {
  const engine = faultyEngineNames.find((known) => known === name);
  if (engine !== undefined) return engine;
  console.error(`expected ${faultyEngineNames.join(" or ")}, got "${name}"`);
  return process.exit(2);
}

async function runFaults({ first, last }: SeedRange, engine: FaultyEngineName): Promise<void> {
  const every = engine === "fake" ? 100 : 10;
  const onSeed = (seed: number): void => {
    if (seed % every === 0) console.log(`seed ${seed}`);
  };
  const report = await runSeeds({ first, last, engine, onSeed });
  problems.push(...report.problems);
  console.log(`${report.comparedCount} of ${report.seedCount} had to end as without faults`);
  console.log("ends", report.ends);
  console.log("faults that struck", report.struck);
}

async function runTenHours(): Promise<void> {
  const run = { steps: 3600, episodesPerStep: 16, turnsPerEpisode: 8 };
  const figures = figuresOf(run, await runForHours(run));
  console.log(figures);
  problems.push(...problemsOf(figures));
}
