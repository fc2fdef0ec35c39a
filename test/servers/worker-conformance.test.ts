/**
 * The conformance suite against the real PyTorch worker, with a tiny Llama that is made on the spot: all weights in
 * float32, and an adapter. Skipped without `SPAR_TEST_WORKER_PYTHON`.
 */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe } from "vitest";
import type { Tuning } from "../../src/contract/index.ts";
import { createEngine as createEmbedded } from "../../src/engines/embedded/engine.ts";
import { createEngine } from "../../src/engines/tinker/engine.ts";
import { describeEngine, type ModelUnderTest } from "../../src/testing/index.ts";
import { createTinyLlama, tinyLlama, tinyTokenizer } from "./tiny-llama.ts";
import { startWorker, workerPython, type WorkerProcess } from "./worker-process.ts";

describe.skipIf(workerPython === "")("the PyTorch worker", () => {
  let worker: WorkerProcess | null = null;
  const closing = new AsyncDisposableStack();
  beforeAll(async () => {
    const parent = await mkdtemp(join(tmpdir(), "spar-tiny-llama-"));
    closing.defer(() => rm(parent, { recursive: true, force: true }));
    const folder = join(parent, "tiny");
    const embedded = createEmbedded({ threadCount: 1 });
    try {
      await (await createTinyLlama(embedded)).export(folder);
    } finally {
      await embedded.close();
    }
    const started = await startWorker({ tiny: folder }, ["--deterministic"]);
    closing.defer(() => started.close());
    worker = started;
  }, 300_000);
  afterAll(() => closing.disposeAsync(), 60_000);

  const base: ModelUnderTest = {
    from: { kind: "base", nameOrFolder: "tiny" },
    base: { vocabularySize: tinyLlama.vocabularySize, tokenizer: tinyTokenizer() },
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
      timeoutMs: 120_000,
    });
  }
});
