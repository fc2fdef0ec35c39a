/**
 * Prints the results of several runs of one recipe, one per seed, as a Markdown table for its README:
 * every number of the result with its mean, its standard deviation over seeds, and each seed's value.
 *
 * Use: npm run table -- RUN_FOLDER...
 */
import { basename } from "node:path";
import type { JsonValue } from "spar/base";
import { openRunReader } from "spar/store";

interface Finished {
  readonly seed: number;
  readonly numbers: ReadonlyMap<string, number>;
}

function readRun(folder: string): Finished {
  using reader = openRunReader(folder);
  const numbers = new Map<string, number>();
  collectNumbers(reader.result(), [], numbers);
  if (numbers.size === 0)
    throw new Error(`${basename(folder)} has no numbers in its result: is it finished?`);
  return { seed: reader.manifest.seed, numbers };
}

/** Every number of a result under its path: `spin / greedyAccuracy`. */
function collectNumbers(value: JsonValue, path: readonly string[], numbers: Map<string, number>): void {
  if (typeof value === "number") numbers.set(path.join(" / "), value);
  if (typeof value !== "object" || value === null) return;
  for (const [name, member] of Object.entries(value)) collectNumbers(member, [...path, name], numbers);
}

function row(name: string, runs: readonly Finished[]): string {
  const values = runs.map(({ numbers }) => numbers.get(name) ?? Number.NaN);
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  const variance =
    values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / Math.max(1, values.length - 1);
  const cells = [mean, Math.sqrt(variance), ...values].map((value) => value.toFixed(3));
  return `| ${name} | ${cells.join(" | ")} |`;
}

const folders = process.argv.slice(2);
if (folders.length === 0) {
  process.stderr.write("usage: npm run table -- RUN_FOLDER...\n");
  process.exit(2);
}
const runs = folders.map(readRun).toSorted((left, right) => left.seed - right.seed);
const names = [...(runs[0]?.numbers.keys() ?? [])];
const seeds = runs.map(({ seed }) => `seed ${seed}`);
const lines = [
  `| | mean | deviation | ${seeds.join(" | ")} |`,
  `|---|${"---|".repeat(runs.length + 2)}`,
  ...names.map((name) => row(name, runs)),
];
process.stdout.write(`${lines.join("\n")}\n`);
