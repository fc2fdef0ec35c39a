/**
 * Training of many hours on a simulated clock, in a process of its own, and what must hold for it however
 * long it is: flat memory, a database that grows by the stated bytes per turn, a bounded log, a constant
 * number of open files and checkpoints, the same speed at the end as at the beginning.
 */
import { execFile } from "node:child_process";
import { join } from "node:path";
import { promisify } from "node:util";
import { episodeBytes, turnBytes } from "../../src/store/index.ts";
import type { LongSample } from "../fixtures/durability/run-long.ts";

export interface LongRun {
  readonly steps: number;
  readonly episodesPerStep: number;
  readonly turnsPerEpisode: number;
}

/** What a step of this recipe takes itself: its row, its checkpoint, two metrics, names of the version that played. */
const stepBytes = 2500;

const program = join(import.meta.dirname, "../fixtures/durability/run-long.ts");

/** Twenty samples, evenly over the run. */
export async function runForHours(run: LongRun): Promise<LongSample[]> {
  const { steps, episodesPerStep, turnsPerEpisode } = run;
  const flags = ["--expose-gc", "--conditions=source", program];
  const words = [steps, episodesPerStep, turnsPerEpisode].map(String);
  const { stdout } = await promisify(execFile)(process.execPath, [...flags, ...words]);
  return stdout
    .trimEnd()
    .split("\n")
    .map((line) => JSON.parse(line) as LongSample);
}

export interface LongFigures {
  readonly simulatedHours: number;
  /**
   * The least memory in the last quarter over that in the second, by when everything is compiled: what is
   * under way at the moment of a sample comes and goes, a leak stays.
   */
  readonly heapRatio: number;
  /** Growth of the database over what turns, episodes and steps are stated to take. */
  readonly growthRatio: number;
  /** Growth in the last quarter over that in the second. */
  readonly growthDrift: number;
  readonly largestLogBytes: number;
  /** The most open files over the fewest. */
  readonly openFileSpread: number;
  readonly largestCheckpointFolderCount: number;
  /** Computing time per step in the last quarter over that in the second. */
  readonly slowdown: number;
}

export function figuresOf(run: LongRun, samples: readonly LongSample[]): LongFigures {
  const quarter = Math.floor(samples.length / 4);
  const second = samples.slice(quarter - 1, 2 * quarter);
  const last = samples.slice(-quarter - 1);
  const late = samples.slice(quarter - 1);
  const files = late.map(({ openFileCount }) => openFileCount);
  return {
    simulatedHours: samples.at(-1)?.simulatedHours ?? 0,
    heapRatio: leastHeap(last) / leastHeap(second),
    growthRatio: perStep(late, "databaseBytes") / statedBytesPerStep(run),
    growthDrift: perStep(last, "databaseBytes") / perStep(second, "databaseBytes"),
    largestLogBytes: Math.max(...samples.map(({ logBytes }) => logBytes)),
    openFileSpread: Math.max(...files) - Math.min(...files),
    largestCheckpointFolderCount: Math.max(
      ...samples.map(({ checkpointFolderCount }) => checkpointFolderCount),
    ),
    slowdown: perStep(last, "cpuMs") / perStep(second, "cpuMs"),
  };
}

/** The stated bytes of turns and episodes, with what these turns and episodes hold, and those of a step. */
function statedBytesPerStep({ episodesPerStep, turnsPerEpisode }: LongRun): number {
  // Spans of 1 and of 4 ids with two bytes before each, 4 log-probabilities, "1,2,3,4", and 7.
  const turnContent = 3 + 6 + 16 + 7 + 1;
  const episodeContent = String(turnsPerEpisode).length + '{"kind":"finished","outcome":56}'.length;
  const episode = episodeBytes + episodeContent + turnsPerEpisode * (turnBytes + turnContent);
  return stepBytes + episodesPerStep * episode;
}

function perStep(samples: readonly LongSample[], what: "databaseBytes" | "cpuMs"): number {
  const [first, last] = [samples[0], samples.at(-1)];
  if (first === undefined || last === undefined) return Number.NaN;
  return (last[what] - first[what]) / (last.stepCount - first.stepCount);
}

function leastHeap(samples: readonly LongSample[]): number {
  return Math.min(...samples.map(({ heapBytes }) => heapBytes));
}

/** What does not hold, in words; none where all is well. */
export function problemsOf(figures: LongFigures): string[] {
  const bounds: readonly (readonly [keyof LongFigures, number, number])[] = [
    ["heapRatio", 0, 1.15],
    ["growthRatio", 0.9, 1.1],
    ["growthDrift", 0.9, 1.1],
    ["largestLogBytes", 0, 6 * 1024 * 1024],
    ["openFileSpread", 0, 2],
    ["largestCheckpointFolderCount", 1, 4],
    // Generous: the machine may be busy with something else.
    ["slowdown", 0, 1.6],
  ];
  return bounds
    .filter(([name, low, high]) => !(figures[name] >= low && figures[name] <= high))
    .map(([name, low, high]) => `expected ${name} between ${low} and ${high}, got ${figures[name]}`);
}
