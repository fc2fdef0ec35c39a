/**
 * The conformance suite against the real PyTorch worker: all weights in float32, and an adapter. The model is that of a
 * folder in the hub's layout, `SPAR_TEST_WORKER_MODEL`, or a tiny Llama that is made on the spot, under the adapter with
 * the real tokenizer of the folder `SPAR_TEST_TOKENIZER`, if there is one. Skipped without `SPAR_TEST_WORKER_PYTHON`.
 */
import { mkdtemp, rm } from "node:fs/promises";
import { availableParallelism, tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe } from "vitest";
import type { Tuning } from "../../src/contract/index.ts";
import { createEngine as createEmbedded } from "../../src/engines/embedded/engine.ts";
import { readTokenizer } from "../../src/engines/embedded/weights/model-state.ts";
import { createEngine } from "../../src/engines/tinker/engine.ts";
import { describeEngine, type ModelUnderTest } from "../../src/testing/index.ts";
import { loadTokenizer } from "../../src/text/index.ts";
import { createTinyLlama, tinyFacts } from "./tiny-llama.ts";
import { startWorker, workerPython, type WorkerProcess } from "./worker-process.ts";

const givenModel = process.env["SPAR_TEST_WORKER_MODEL"] ?? "";
const givenTokenizer = process.env["SPAR_TEST_TOKENIZER"] ?? "";

type ModelFacts = NonNullable<ModelUnderTest["base"]>;

describe.skipIf(workerPython === "")("the PyTorch worker", async () => {
  const ofWeights = givenModel === "" ? tinyFacts() : await factsOf(givenModel);
  const ofAdapter = givenModel === "" && givenTokenizer !== "" ? await factsOf(givenTokenizer) : ofWeights;

  let worker: WorkerProcess | null = null;
  const closing = new AsyncDisposableStack();
  beforeAll(async () => {
    const folders = await foldersOf({ weights: ofWeights, adapter: ofAdapter }, closing);
    const threads = givenModel === "" ? 1 : availableParallelism();
    const started = await startWorker(folders, ["--deterministic", "--threads", `${threads}`]);
    closing.defer(() => started.close());
    worker = started;
  }, 300_000);
  afterAll(() => closing.disposeAsync(), 60_000);

  const cases: readonly {
    readonly title: string;
    readonly model: string;
    readonly base: ModelFacts;
    readonly tuning: Tuning;
  }[] = [
    { title: "all weights in float32", model: "weights", base: ofWeights, tuning: { kind: "full" } },
    {
      title: ofAdapter === ofWeights ? "an adapter" : "an adapter and a real tokenizer",
      model: "adapter",
      base: ofAdapter,
      tuning: { kind: "lora", rank: 8, alpha: 32, seed: 1 },
    },
  ];
  for (const { title, model, base, tuning } of cases) {
    describeEngine({
      name: `the engine tinker on the PyTorch worker, with ${title},`,
      createEngine: async () => {
        if (worker === null) throw new Error("the worker did not start");
        return createEngine({ url: worker.url, key: worker.key });
      },
      model: { from: { kind: "base", nameOrFolder: model }, base, tuning },
      timeoutMs: givenModel === "" ? 120_000 : 1_800_000,
    });
  }
});

/** Where the models lie, by name: the one that was given, or tiny ones, which are written. */
async function foldersOf(
  models: Readonly<Record<string, ModelFacts>>,
  closing: AsyncDisposableStack,
): Promise<Readonly<Record<string, string>>> {
  const names = Object.keys(models);
  if (givenModel !== "") return Object.fromEntries(names.map((name) => [name, givenModel]));
  const parent = await mkdtemp(join(tmpdir(), "spar-tiny-llama-"));
  closing.defer(() => rm(parent, { recursive: true, force: true }));
  const embedded = createEmbedded({ threadCount: 1 });
  try {
    for (const [name, facts] of Object.entries(models)) {
      const model = await createTinyLlama(embedded, facts);
      await model.export(join(parent, name));
      await model.release();
    }
  } finally {
    await embedded.close();
  }
  return Object.fromEntries(names.map((name) => [name, join(parent, name)]));
}

/** Of a folder in the hub's layout, with weights or a tokenizer alone. */
async function factsOf(folder: string): Promise<ModelFacts> {
  const tokenizer = await readTokenizer(folder);
  if (tokenizer === undefined)
    throw new Error(`expected tokenizer.json and tokenizer_config.json in ${folder}`);
  return { vocabularySize: loadTokenizer(tokenizer).vocabularySize, tokenizer };
}
