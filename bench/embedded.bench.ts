/**
 * The executors of the embedded engine against PyTorch: the same transformer, batch and threads, measured in turns
 * in one run, so that a busy machine slows all. Prints tokens per second and their ratio to PyTorch's.
 *
 *   node --conditions=source bench/embedded.bench.ts [--python PATH] [--threads N] [--rounds N] [--nano]
 *
 * Without torch, or without the native executor's package, the rest is measured, with how to install it.
 */
import { spawnSync } from "node:child_process";
import { availableParallelism } from "node:os";
import { parseArgs } from "node:util";
import { isSparError } from "spar/base";
import { tokens, type Architecture, type Datum, type Model, type PolicyVersion } from "spar/contract";
import { createEngine, executors, type EmbeddedEngine } from "spar/engines/embedded";
import { TorchProcess, type TorchCommand } from "./embedded-torch.ts";

const { values } = parseArgs({
  options: {
    python: { type: "string", default: process.env["SPAR_BENCH_PYTHON"] ?? "python3" },
    threads: { type: "string", default: String(availableParallelism()) },
    rounds: { type: "string", default: "3" },
    nano: { type: "boolean", default: false },
  },
});
const threads = Number(values.threads);
const rounds = Number(values.rounds);
const architecture = (
  values.nano
    ? { vocabularySize: 20, contextLength: 12, width: 96, layerCount: 2, headCount: 4 }
    : { vocabularySize: 64, contextLength: 128, width: 128, layerCount: 4, headCount: 4 }
) satisfies Architecture;
const trainingRows = values.nano ? 64 : 16;
const prompt = values.nano ? 6 : 8;
const count = architecture.contextLength - prompt;

/** One executor with a model of its own. */
interface Contestant {
  readonly name: string;
  readonly engine: EmbeddedEngine;
  readonly model: Model;
  readonly version: PolicyVersion;
}

interface Measure {
  readonly title: string;
  readonly torch: TorchCommand;
  readonly tokenCount: number;
  run(contestant: Contestant): Promise<unknown>;
}

async function openContestants(): Promise<Contestant[]> {
  const result: Contestant[] = [];
  for (const { name: executor } of executors) {
    try {
      const engine = createEngine({ threadCount: threads, executor });
      const from = { kind: "architecture", architecture, seed: 1 } as const;
      const model = await engine.createModel({ name: "bench", from });
      result.push({ name: executor, engine, model, version: await model.publish() });
    } catch (thrown) {
      if (!isSparError(thrown)) throw thrown;
      console.log(`without ${executor}: ${thrown.message}; ${thrown.hint ?? ""}`);
    }
  }
  return result;
}

const promptIds = Array.from({ length: prompt }, (_, index) => (index * 7) % architecture.vocabularySize);
const rows = Array.from({ length: trainingRows }, (_, row): Datum => {
  const ids = Array.from(
    { length: architecture.contextLength + 1 },
    (_unused, index) => (row * 31 + index * index) % architecture.vocabularySize,
  );
  const targets = Int32Array.from(ids.slice(1));
  return { input: [tokens(ids.slice(0, -1))], targets, weights: new Float32Array(targets.length).fill(1) };
});

async function rate(measure: Measure, contestant: Contestant): Promise<number> {
  const start = performance.now();
  await measure.run(contestant);
  return measure.tokenCount / ((performance.now() - start) / 1000);
}

const steps = values.nano ? 20 : 3;
const training: Measure = {
  title: `train, ${trainingRows} rows`,
  torch: { kind: "train", rows: trainingRows, steps },
  tokenCount: steps * trainingRows * architecture.contextLength,
  run: async ({ model }) => {
    for (let step = 0; step < steps; step += 1) {
      await Promise.all([
        model.forwardBackward(rows, { kind: "crossEntropy" }),
        model.optimStep({ kind: "adamw", learningRate: 1e-4, clipGradientNorm: 1 }),
      ]);
    }
  },
};
const sampling = [1, 16, 64, 256].map((batch): Measure => ({
  title: `sample, batch ${batch}`,
  torch: { kind: "sample", rows: batch, prompt, count },
  tokenCount: batch * count,
  run: ({ engine, version }) =>
    engine.sample(version, {
      prompt: [tokens(promptIds)],
      count: batch,
      parameters: { maxTokens: count, seed: 1 },
    }),
}));

function openTorch(): TorchProcess | undefined {
  const probe = spawnSync(values.python, ["-c", "import torch"]);
  if (probe.status === 0) return new TorchProcess(values.python, { ...architecture, threads });
  console.log(
    `without PyTorch: ${values.python} cannot import torch; uv pip install torch, then --python PATH`,
  );
  return undefined;
}

const median = (numbers: readonly number[]): number =>
  numbers.toSorted((a, b) => a - b)[Math.floor(numbers.length / 2)] ?? NaN;
const cell = (value: number, digits = 0): string =>
  (Number.isNaN(value) ? "-" : value.toFixed(digits)).padStart(9);

const contestants = await openContestants();
const torch = openTorch();
console.log(`${threads} threads, ${rounds} rounds, ${JSON.stringify(architecture)}`);
const titles = contestants.map(({ name }) => `${name.padStart(9)}    ratio`);
console.log(`tokens per second       torch${titles.join("")}`);
for (const measure of [training, ...sampling]) {
  const theirs: number[] = [];
  const ours: number[][] = contestants.map(() => []);
  // The first two rounds warm up: compilation, caches, clocks.
  for (let round = -2; round < rounds; round += 1) {
    const own: number[] = [];
    for (const contestant of contestants) own.push(await rate(measure, contestant));
    const other = torch === undefined ? NaN : (await torch.measure(measure.torch)).tokensPerSecond;
    if (round < 0) continue;
    theirs.push(other);
    ours.forEach((list, index) => list.push(own[index] ?? NaN));
  }
  const cells = ours.map((list) => {
    const ratio = median(list.map((own, index) => own / (theirs[index] ?? NaN)));
    return `${cell(median(list))}${cell(ratio, 2)}`;
  });
  console.log(`${measure.title.padEnd(20)}${cell(median(theirs))}${cells.join("")}`);
}
torch?.close();
for (const { engine } of contestants) await engine.close();
