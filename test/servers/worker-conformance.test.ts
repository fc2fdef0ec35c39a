/**
 * The conformance suite against the real PyTorch worker: all weights in float32, and an adapter. The model is a tiny
 * Llama that is made on the spot, or that of a folder in the hub's layout, `SPAR_TEST_WORKER_MODEL`. Skipped without
 * `SPAR_TEST_WORKER_PYTHON`.
 */
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { availableParallelism, tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe } from "vitest";
import type { Tuning } from "../../src/contract/index.ts";
import { createEngine as createEmbedded } from "../../src/engines/embedded/engine.ts";
import { readTokenizer } from "../../src/engines/embedded/weights/model-state.ts";
import { createEngine } from "../../src/engines/tinker/engine.ts";
import { describeEngine, type ModelUnderTest } from "../../src/testing/index.ts";
import { createTinyLlama, tinyLlama, tinyTokenizer } from "./tiny-llama.ts";
import { startWorker, workerPython, type WorkerProcess } from "./worker-process.ts";

const givenModel = process.env["SPAR_TEST_WORKER_MODEL"] ?? "";

describe.skipIf(workerPython === "")("the PyTorch worker", async () => {
  let worker: WorkerProcess | null = null;
  const closing = new AsyncDisposableStack();
  beforeAll(async () => {
    const threads = givenModel === "" ? 1 : availableParallelism();
    const folder = givenModel === "" ? await writeTinyModel(closing) : givenModel;
    const started = await startWorker({ tested: folder }, ["--deterministic", "--threads", `${threads}`]);
    closing.defer(() => started.close());
    worker = started;
  }, 300_000);
  afterAll(() => closing.disposeAsync(), 60_000);

  const base: ModelUnderTest = {
    from: { kind: "base", nameOrFolder: "tested" },
    base:
      givenModel === ""
        ? { vocabularySize: tinyLlama.vocabularySize, tokenizer: tinyTokenizer() }
        : await factsOf(givenModel),
  };
  const tunings: readonly { readonly title: string; readonly tuning: Tuning }[] = [
    { title: "all weights in float32", tuning: { kind: "full" } },
    { title: "an adapter", tuning: { kind: "lora", rank: 8, alpha: 32, seed: 1 } },
  ];
  for (const { title, tuning } of tunings) {
    describeEngine({
      name: `the engine tinker on the PyTorch worker, with ${title},`,
      createEngine: async () => {
        if (worker === null) throw new Error("the worker did not start");
        return createEngine({ url: worker.url, key: worker.key });
      },
      model: { ...base, tuning },
      timeoutMs: givenModel === "" ? 120_000 : 1_800_000,
    });
  }
});

async function writeTinyModel(closing: AsyncDisposableStack): Promise<string> {
  const parent = await mkdtemp(join(tmpdir(), "spar-tiny-llama-"));
  closing.defer(() => rm(parent, { recursive: true, force: true }));
  const folder = join(parent, "tiny");
  const embedded = createEmbedded({ threadCount: 1 });
  try {
    await (await createTinyLlama(embedded)).export(folder);
  } finally {
    await embedded.close();
  }
  return folder;
}

async function factsOf(folder: string): Promise<NonNullable<ModelUnderTest["base"]>> {
  const tokenizer = await readTokenizer(folder);
  if (tokenizer === undefined)
    throw new Error(`expected tokenizer.json and tokenizer_config.json in ${folder}`);
  const config = JSON.parse(await readFile(join(folder, "config.json"), "utf8")) as {
    readonly vocab_size: number;
  };
  return { vocabularySize: config.vocab_size, tokenizer };
}
