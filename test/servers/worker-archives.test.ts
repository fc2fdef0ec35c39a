/** Archives of the real worker: what `spar/tinker` downloads is what the worker trained, whatever kind of weights. */
import { mkdtempSync, rmSync } from "node:fs";
import { readdir, readFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { present } from "../../src/base/index.ts";
import {
  Checkpoints,
  connect,
  createTrainingModel,
  type Connection,
  type TrainingModel,
} from "../../src/engines/tinker/index.ts";
import { expectCode } from "../../src/testing/index.ts";
import { startTinyWorker, workerPython, type TinyWorker } from "./worker-process.ts";

const name = "archives of the worker (skipped without SPAR_TEST_WORKER_PYTHON)";

describe.skipIf(workerPython === "")(name, () => {
  const folder = mkdtempSync(path.join(tmpdir(), "spar-archives-"));
  let worker: TinyWorker | null = null;
  let connection: Connection | null = null;

  beforeAll(async () => {
    worker = await startTinyWorker();
    connection = await connect({ url: worker.url, key: worker.key });
  }, 300_000);
  afterAll(async () => {
    await connection?.close();
    await worker?.close();
    rmSync(folder, { recursive: true, force: true });
  });

  const at = (place: string): string => path.join(folder, place);
  const open = (): Connection => present(connection, "a connection");
  const checkpoints = (): Checkpoints => new Checkpoints(open());
  const create = async (rank: number): Promise<TrainingModel> =>
    createTrainingModel(open(), { baseModel: "tiny", ...(rank === 0 ? {} : { lora: { rank, seed: 1 } }) });

  test("those of an adapter are what PEFT loads", async () => {
    const model = await create(4);
    const state = await model.saveState();
    const published = await model.saveForSampler();
    await checkpoints().downloadArchive(state, at("state"));
    await checkpoints().downloadArchive(published, at("published"));
    const names = await readdir(at("state"));
    expect(names).toEqual(expect.arrayContaining(["adapter_config.json", "adapter_model.safetensors"]));
    expect(names).not.toContain("checkpoint_complete");
    for (const file of await readdir(at("published"))) {
      expect(await readFile(path.join(at("published"), file))).toEqual(
        await readFile(path.join(at("state"), file)),
      );
    }
    expect(JSON.parse(await readFile(path.join(at("state"), "adapter_config.json"), "utf8"))).toMatchObject({
      peft_type: "LORA",
      r: 4,
    });
  });

  test("those of all weights are what transformers loads", async () => {
    const model = await create(0);
    await checkpoints().downloadArchive(await model.saveState(), at("whole"));
    const names = await readdir(at("whole"));
    expect(names).toEqual(expect.arrayContaining(["config.json", "model.safetensors", "tokenizer.json"]));
    const { path: exported } = await model.exportTo(null);
    await checkpoints().downloadArchive(exported, at("exported"));
    expect((await readdir(at("exported"))).toSorted()).toEqual(names.toSorted());
  });

  test("what is not there is not found, and nothing is left", async () => {
    const call = checkpoints().downloadArchive("tinker://run/weights/none", at("none"));
    await expectCode(call, "not-found");
    expect((await readdir(folder)).filter((entry) => entry.startsWith("none"))).toEqual([]);
  });

  test("a deadline and a signal end a download, and nothing is left", async () => {
    const state = await (await create(2)).saveState();
    await expectCode(checkpoints().downloadArchive(state, at("late"), { timeoutMs: 1 }), "deadline-exceeded");
    const signal = AbortSignal.abort();
    await expectCode(checkpoints().downloadArchive(state, at("late"), { signal }), "aborted");
    expect((await readdir(folder)).filter((entry) => entry.startsWith("late"))).toEqual([]);
  });
});
