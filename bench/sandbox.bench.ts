/**
 * The Python sandbox: executions per second over all cores, of small programs that the allow-list knows and of others,
 * beside the same programs in a bare warm interpreter, which keeps nothing in, in a pool of plain Python processes, and in
 * one process each. All are measured in turns in one run, so that a busy machine slows all; medians are printed.
 *
 *   npm run bench:sandbox -- [--python PATH] [--rounds N] [--programs N]
 *
 * PATH is a Python 3.9 or later, for the native backend and the plain ones; without one the rest is measured.
 */
import { availableParallelism } from "node:os";
import { parseArgs } from "node:util";
import { mapBounded } from "spar/base";
import {
  nativeBackend,
  openPythonSandbox,
  pyodideBackend,
  type PythonBackend,
  type PythonRequest,
  type PythonSandbox,
} from "spar/verifiers/python";
import { bareInterpreter, hasPython, onePerProgram, PlainPool, type Snippet } from "./sandbox-plain.ts";

const { values } = parseArgs({
  options: {
    python: { type: "string", default: process.env["SPAR_BENCH_PYTHON"] ?? "python3" },
    rounds: { type: "string", default: "5" },
    programs: { type: "string", default: "2000" },
  },
});
const rounds = Number(values.rounds);
const programCount = Number(values.programs);
const cores = availableParallelism();
const limits = { timeMs: 10_000 };

/** Small, and no two requests alike. `prefix` decides whether the allow-list lets them in the warm interpreter. */
function snippets(count: number, prefix: string): Snippet[] {
  const bodies = [
    "return sorted(items)[::-1]",
    "return [x * x for x in items if x % 2 == 0]",
    "total = 0\n    for x in items:\n        total += x\n    return total",
    "counts = {}\n    for x in items:\n        counts[x] = counts.get(x, 0) + 1\n    return counts",
    "return ''.join(chr(97 + x % 26) for x in items)",
    "return [a + b for a, b in zip(items, items[1:])]",
  ];
  return Array.from({ length: count }, (_unused, index) => ({
    program: `${prefix}def f(items):\n    ${bodies[index % bodies.length] ?? ""}\n`,
    query: `f([${[index, index * 7, index * 31].map((value) => value % 97).join(", ")}])`,
  }));
}

const allowed = snippets(programCount, "");
const others = snippets(Math.ceil(programCount / 4), "import os\n");
const few = others.slice(0, 50);

interface Contestant {
  readonly name: string;
  readonly work: readonly Snippet[];
  readonly run: (work: readonly Snippet[]) => Promise<void>;
}

async function runIn(sandbox: PythonSandbox, work: readonly Snippet[]): Promise<void> {
  await mapBounded(work, 8 * cores, async (snippet: PythonRequest) => {
    const execution = await sandbox.run({ ...snippet, limits });
    if (execution.kind !== "value") throw new Error(`expected a value, got ${JSON.stringify(execution)}`);
  });
}

const sandboxes: PythonSandbox[] = [];
async function open(backend: PythonBackend): Promise<PythonSandbox> {
  const startMs = performance.now();
  const sandbox = await openPythonSandbox({ backend, cacheSize: 0 });
  console.log(
    `${sandbox.backend.software}: opened and proved in ${((performance.now() - startMs) / 1000).toFixed(1)} s`,
  );
  sandboxes.push(sandbox);
  return sandbox;
}

const pyodide = await open(pyodideBackend());
const native = hasPython(values.python)
  ? await open(nativeBackend({ python: values.python, environment: process.env })).catch(
      (thrown: unknown) => {
        console.log(`without the native backend: ${String(thrown)}`);
        return null;
      },
    )
  : null;
const bare = await bareInterpreter();
const pool = hasPython(values.python) ? new PlainPool(values.python, cores) : null;

const contestants: Contestant[] = [
  { name: "bare Pyodide, kept in by nothing, one core", work: allowed, run: bare },
  { name: "sandbox, allowed, warm and checked", work: allowed, run: (work) => runIn(pyodide, work) },
  { name: "sandbox, others, memory put back", work: others, run: (work) => runIn(pyodide, work) },
];
if (native !== null)
  contestants.push({ name: "native sandbox, forked", work: others, run: (work) => runIn(native, work) });
if (pool !== null)
  contestants.push(
    { name: "plain pool of Python processes", work: allowed, run: (work) => pool.run(work) },
    {
      name: "one Python process per program",
      work: few,
      run: (work) => onePerProgram(values.python, work, cores),
    },
  );

const rates = new Map<string, number[]>();
for (let round = -1; round < rounds; round++) {
  for (const { name, work, run } of contestants) {
    const startMs = performance.now();
    await run(work);
    const perSecond = (1000 * work.length) / (performance.now() - startMs);
    if (round >= 0) rates.set(name, [...(rates.get(name) ?? []), perSecond]);
  }
}
await Promise.all(sandboxes.map((sandbox) => sandbox.close()));
await pool?.close();

const median = (numbers: readonly number[]): number =>
  numbers.toSorted((a, b) => a - b)[Math.floor(numbers.length / 2)] ?? Number.NaN;
console.log(`${cores} cores, median of ${rounds} rounds after one to warm up`);
console.log(`${"".padEnd(46)}${"per second".padStart(12)}${"and core".padStart(12)}`);
for (const [name, found] of rates) {
  const perSecond = median(found);
  const perCore = perSecond / (name.includes("one core") ? 1 : cores);
  console.log(`${name.padEnd(46)}${perSecond.toFixed(0).padStart(12)}${perCore.toFixed(0).padStart(12)}`);
}
const ratesOf = (start: string): readonly number[] =>
  [...rates].find(([name]) => name.startsWith(start))?.[1] ?? [];
const bares = ratesOf("bare");
const ratios = ratesOf("sandbox, allowed").map((rate, round) => rate / cores / (bares[round] ?? Number.NaN));
console.log(
  `warm and checked beside bare, per core: ${median(ratios).toFixed(2)} (${Math.min(...ratios).toFixed(2)} to ${Math.max(...ratios).toFixed(2)})`,
);
