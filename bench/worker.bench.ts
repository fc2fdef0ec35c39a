/**
 * The PyTorch worker through the client against plain PyTorch on the same cores: a training step, sampling 32 requests
 * beside batched `generate`, and 32 requests that arrive at different times beside one after another. All are measured
 * in turns in one run, so that a busy machine slows all; medians of ratios are printed, above 1 where the worker is faster.
 *
 *   node --conditions=source bench/worker.bench.ts --python PATH [--model FOLDER] [--threads N] [--rounds N]
 *     [--only train,sample,arrive] [--worker-option=--token-budget=4096] [--skyrl URL --skyrl-model NAME]
 *
 * Without --model a small random one is written. With --skyrl the same step and the same sampling are measured on a
 * SkyRL server that runs already, with the same weights, as a third contestant.
 */
import { mkdtempSync, rmSync } from "node:fs";
import { availableParallelism, tmpdir } from "node:os";
import path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { parseArgs } from "node:util";
import {
  connect,
  createTrainingModel,
  Samplers,
  type ProfileId,
  type WireRow,
  type WireSampleRequest,
} from "spar/tinker";
import { PlainProcess } from "./worker-plain.ts";
import { startServer, writeSmallModel } from "./worker-server.ts";

const { values } = parseArgs({
  options: {
    python: { type: "string", default: process.env["SPAR_BENCH_PYTHON"] ?? "python3" },
    model: { type: "string" },
    threads: { type: "string", default: String(availableParallelism()) },
    rounds: { type: "string", default: "5" },
    only: { type: "string", default: "train,sample,arrive" },
    "worker-option": { type: "string", multiple: true, default: [] },
    skyrl: { type: "string" },
    "skyrl-model": { type: "string", default: "" },
  },
});
const rounds = Number(values.rounds);
const threads = Number(values.threads);
const chosen = values.only.split(",");
const rank = 8;
const requestCount = 32;
const replyTokens = 32;

/** Ids that every model has, from a row and a place. */
const idsOf = (row: number, length: number): number[] =>
  Array.from({ length }, (_unused, place) => 5 + ((row * 31 + place * place * 7) % 3000));
const rowsOf = (lengths: readonly number[]): number[][] =>
  lengths.map((length, row) => idsOf(row, length + 1));
const equal = rowsOf(Array.from({ length: 8 }, () => 96));
const mixed = rowsOf([96, 16, 64, 32, 80, 24, 48, 40]);
const prompts = Array.from({ length: requestCount }, (_unused, row) => idsOf(row, 12 + ((row * 5) % 24)));

/** A server with a model on it. */
interface Contestant {
  train(rows: readonly (readonly number[])[]): Promise<void>;
  sample(prompt: readonly number[], seed: number): Promise<void>;
  close(): Promise<void>;
}

async function open(options: {
  readonly url: string;
  readonly key: string;
  readonly model: string;
  readonly profile: ProfileId;
}): Promise<Contestant> {
  const connection = await connect(options);
  const model = await createTrainingModel(connection, { baseModel: options.model, lora: { rank, seed: 1 } });
  const samplers = new Samplers(connection);
  const source = { kind: "base", name: options.model } as const;
  const value = { learning_rate: 1e-4, beta1: 0.9, beta2: 0.999, eps: 1e-8, weight_decay: 0.01 };
  return {
    train: async (rows) => {
      const wireRows = rows.map((ids): WireRow => {
        const targets = Int32Array.from(ids.slice(1));
        const weights = new Float32Array(targets.length).fill(1);
        return {
          input: [{ kind: "tokens", tokenIds: ids.slice(0, -1) }],
          tensors: { target_tokens: targets, weights },
        };
      });
      const pass = model.pass({ rows: wireRows, lossName: "cross_entropy" });
      await Promise.all([pass, model.optimStep({ key: "adam_params", value })]);
    },
    sample: async (prompt, seed) => {
      const request: WireSampleRequest = {
        prompt: [{ kind: "tokens", tokenIds: prompt }],
        count: 1,
        maxTokens: replyTokens,
        seed,
        temperature: 1,
        topP: 1,
        topK: 0,
        stop: [],
        includePromptLogprobs: false,
      };
      const answer = await samplers.sample(source, request);
      const count = answer.sequences[0]?.tokenIds.length;
      if (count !== replyTokens) throw new Error(`expected ${replyTokens} tokens, got ${String(count)}`);
    },
    close: () => connection.close(),
  };
}

async function seconds(work: () => Promise<unknown>): Promise<number> {
  const start = performance.now();
  await work();
  return (performance.now() - start) / 1000;
}

const all = async (contestant: Contestant): Promise<unknown> =>
  Promise.all(prompts.map((prompt, seed) => contestant.sample(prompt, seed)));

const median = (numbers: readonly number[]): number =>
  numbers.toSorted((a, b) => a - b)[Math.floor(numbers.length / 2)] ?? NaN;

/** Medians over rounds of seconds of the worker, seconds of another, and the ratio. Two rounds warm up. */
async function compare(
  title: string,
  own: () => Promise<number>,
  other: () => Promise<number>,
  warmUps = 2,
): Promise<void> {
  const mine: number[] = [];
  const theirs: number[] = [];
  for (let round = -warmUps; round < rounds; round++) {
    const [left, right] = [await own(), await other()];
    if (round < 0) continue;
    mine.push(left);
    theirs.push(right);
  }
  const ratios = mine.map((value, index) => (theirs[index] ?? NaN) / value);
  const spread = `${Math.min(...ratios).toFixed(2)} to ${Math.max(...ratios).toFixed(2)}`;
  console.log(
    `${title.padEnd(44)}${median(mine).toFixed(3).padStart(9)}${median(theirs).toFixed(3).padStart(9)}` +
      `${median(ratios).toFixed(2).padStart(8)}   ${spread}`,
  );
}

const folder = mkdtempSync(path.join(tmpdir(), "spar-bench-"));
const modelFolder = values.model ?? path.join(folder, "small");
if (values.model === undefined) writeSmallModel(values.python, modelFolder);
const server = await startServer({
  python: values.python,
  folder: modelFolder,
  stateFolder: path.join(folder, "state"),
  threads,
  more: values["worker-option"],
});
const plain = new PlainProcess(values.python, { folder: modelFolder, threads, rank });
const worker = await open({ ...server, profile: "spar" });
const skyrl =
  values.skyrl === undefined
    ? null
    : await open({
        url: values.skyrl,
        key: "tml-dummy",
        model: values["skyrl-model"],
        profile: "skyrl-jax",
      });
console.log(`${threads} threads, ${rounds} rounds, ${values.model ?? "a small model"}`);
console.log(
  `${"".padEnd(44)}${"worker".padStart(9)}${"other".padStart(9)}${"ratio".padStart(8)}   of rounds`,
);

const step = (contestant: Contestant, rows: readonly (readonly number[])[]) => (): Promise<number> =>
  seconds(() => contestant.train(rows));
if (chosen.includes("train")) {
  for (const [title, rows] of [
    ["equal", equal],
    ["mixed", mixed],
  ] as const) {
    await compare(`train, 8 rows of ${title} length, plain`, step(worker, rows), () =>
      plain.seconds({ kind: "train", rows }),
    );
    if (skyrl !== null) {
      await compare(`train, 8 rows of ${title} length, SkyRL`, step(worker, rows), step(skyrl, rows));
    }
  }
}
if (chosen.includes("sample")) {
  await compare(
    `sample, ${requestCount} requests, generate`,
    () => seconds(() => all(worker)),
    () => plain.seconds({ kind: "sample", prompts, count: replyTokens }),
  );
  if (skyrl !== null) {
    await compare(
      `sample, ${requestCount} requests, SkyRL`,
      () => seconds(() => all(worker)),
      () => seconds(() => all(skyrl)),
    );
  }
}
if (chosen.includes("arrive")) {
  // They arrive over the time that two of them take alone.
  const alone = await seconds(() => worker.sample(prompts[0] ?? [], 0));
  const intervalMs = (alone * 2000) / requestCount;
  await compare(
    `${requestCount} requests arriving, one after another`,
    () =>
      seconds(() =>
        Promise.all(
          prompts.map(async (prompt, index) => {
            await sleep(index * intervalMs);
            await worker.sample(prompt, index);
          }),
        ),
      ),
    async () =>
      seconds(async () => {
        for (const [index, prompt] of prompts.entries()) await worker.sample(prompt, index);
      }),
    1,
  );
}
plain.close();
await worker.close();
await skyrl?.close();
await server.close();
rmSync(folder, { recursive: true, force: true });
