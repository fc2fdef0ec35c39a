/**
 * The embedded engine against PyTorch: the same transformer, batch and threads, measured in turns in one run, so
 * that a busy machine slows both. Prints tokens per second and their ratio.
 *
 *   node --conditions=source bench/embedded.bench.ts [--python PATH] [--threads N] [--rounds N] [--nano]
 *
 * Without torch only the engine's own rates are printed, with how to install it.
 */
import { spawnSync } from "node:child_process";
import { availableParallelism } from "node:os";
import { parseArgs } from "node:util";
import { tokens, type Architecture, type Datum } from "spar/contract";
import { createEngine } from "spar/engines/embedded";
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

interface Measure {
  readonly title: string;
  readonly torch: TorchCommand;
  run(): Promise<number>;
}

const engine = createEngine({ threadCount: threads });
const model = await engine.createModel({
  name: "bench",
  from: { kind: "architecture", architecture, seed: 1 },
});
const version = await model.publish();
const promptIds = Array.from({ length: prompt }, (_, index) => (index * 7) % architecture.vocabularySize);
const rows = Array.from({ length: trainingRows }, (_, row): Datum => {
  const ids = Array.from(
    { length: architecture.contextLength + 1 },
    (_unused, index) => (row * 31 + index * index) % architecture.vocabularySize,
  );
  const targets = Int32Array.from(ids.slice(1));
  return { input: [tokens(ids.slice(0, -1))], targets, weights: new Float32Array(targets.length).fill(1) };
});

async function rate(tokenCount: number, action: () => Promise<unknown>): Promise<number> {
  const start = performance.now();
  await action();
  return tokenCount / ((performance.now() - start) / 1000);
}

const steps = values.nano ? 20 : 3;
const training: Measure = {
  title: `train, ${trainingRows} rows`,
  torch: { kind: "train", rows: trainingRows, steps },
  run: () =>
    rate(steps * trainingRows * architecture.contextLength, async () => {
      for (let step = 0; step < steps; step += 1) {
        await Promise.all([
          model.forwardBackward(rows, { kind: "crossEntropy" }),
          model.optimStep({ kind: "adamw", learningRate: 1e-4, clipGradientNorm: 1 }),
        ]);
      }
    }),
};
const sampling = [1, 16, 64, 256].map((batch): Measure => ({
  title: `sample, batch ${batch}`,
  torch: { kind: "sample", rows: batch, prompt, count },
  run: () =>
    rate(batch * count, () =>
      engine.sample(version, {
        prompt: [tokens(promptIds)],
        count: batch,
        parameters: { maxTokens: count, seed: 1 },
      }),
    ),
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
const torch = openTorch();
console.log(`${threads} threads, ${rounds} rounds, ${JSON.stringify(architecture)}`);
console.log("                        spar tok/s   torch tok/s   ratio (median)");
for (const measure of [training, ...sampling]) {
  const ours: number[] = [];
  const theirs: number[] = [];
  for (let round = -2; round < rounds; round += 1) {
    const own = await measure.run();
    const other = torch === undefined ? NaN : (await torch.measure(measure.torch)).tokensPerSecond;
    if (round < 0) continue;
    ours.push(own);
    theirs.push(other);
  }
  const ratio = median(ours.map((own, index) => own / (theirs[index] ?? NaN)));
  const cell = (value: number): string => (Number.isNaN(value) ? "-" : value.toFixed(0)).padStart(11);
  console.log(
    `${measure.title.padEnd(20)} ${cell(median(ours))}   ${cell(median(theirs))}   ${ratio.toFixed(2).padStart(6)}`,
  );
}
torch?.close();
await engine.close();
