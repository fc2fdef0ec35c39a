/** No wait outlives the thread that it waits for (promise 3). */
import { existsSync, mkdtempSync, readdirSync, readlinkSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Worker } from "node:worker_threads";
import { expect, test, vi } from "vitest";
import { tokens, type Datum, type Model } from "../../../contract/index.ts";
import { expectCode } from "../../../testing/index.ts";
import { createEngine, type EmbeddedEngine } from "../engine.ts";

const rows = Array.from({ length: 256 }, (): Datum => {
  const targets = new Int32Array(15).fill(1);
  return { input: [tokens([...targets])], targets, weights: new Float32Array(15).fill(1) };
});

/** The engine's thread is the only Worker that is referred to while it starts a call. */
async function startWithThread(): Promise<{ engine: EmbeddedEngine; model: Model; thread: Worker }> {
  const keptAlive = vi.spyOn(Worker.prototype, "ref");
  const engine = createEngine({ threadCount: 1 });
  const architecture = { vocabularySize: 8, contextLength: 16, width: 32, layerCount: 2, headCount: 2 };
  const model = await engine.createModel({
    name: "m",
    from: { kind: "architecture", architecture, seed: 1 },
  });
  const thread = keptAlive.mock.contexts[0];
  keptAlive.mockRestore();
  if (!(thread instanceof Worker)) throw new Error("expected the thread of the engine");
  return { engine, model, thread };
}

test("a thread that dies during calls fails them and every later one, and the engine still closes", async () => {
  const { engine, model, thread } = await startWithThread();
  const version = await model.publish();
  const calls = [
    model.forwardBackward(rows, { kind: "crossEntropy" }),
    model.optimStep({ kind: "adam", learningRate: 1e-3 }),
    engine.sample(version, { prompt: [tokens([1])], parameters: { maxTokens: 8, seed: 1 } }),
  ];
  const ends = calls.map((call) => expectCode(call, "engine-failed"));
  await thread.terminate();
  for (const error of await Promise.all(ends))
    expect([error.message, error.hint]).toEqual([
      expect.stringContaining("thread"),
      expect.stringContaining("resumed"),
    ]);
  await expectCode(model.forward(rows), "engine-failed");
  await engine.close();
});

test("an engine that is closed while it saves leaves no file open and no half of a folder", async () => {
  const root = mkdtempSync(join(tmpdir(), "spar-close-"));
  for (const afterMs of [0, 1, 2, 3, 4, 6]) {
    const { engine, model } = await startWithThread();
    const saved = model.save(join(root, `saved-${afterMs}`)).catch((thrown: unknown) => thrown);
    await new Promise((resolve) => setTimeout(resolve, afterMs));
    await engine.close();
    if (!existsSync(join(root, `saved-${afterMs}`))) expect(await saved).toMatchObject({ code: "aborted" });
    expect(readdirSync(root).filter((name) => name.startsWith("."))).toEqual([]);
    expect(openFilesIn(root)).toEqual([]);
  }
  rmSync(root, { recursive: true });
});

/** None where the system does not tell. */
function openFilesIn(folder: string): string[] {
  const descriptors = "/proc/self/fd";
  if (!existsSync(descriptors)) return [];
  return readdirSync(descriptors)
    .map((name) => join(descriptors, name))
    .filter((path) => existsSync(path))
    .map((path) => readlinkSync(path))
    .filter((path) => path.startsWith(folder));
}

test("a thread whose heap is full fails its calls with memory-exhausted and what to do", async () => {
  const { engine, model, thread } = await startWithThread();
  const ended = expectCode(model.forwardBackward(rows, { kind: "crossEntropy" }), "memory-exhausted");
  // As Node tells it: filling a heap for real aborts the whole process now and then.
  const told = "Worker terminated due to reaching memory limit: JS heap out of memory";
  thread.emit("error", Object.assign(new Error(told), { code: "ERR_WORKER_OUT_OF_MEMORY" }));
  const error = await ended;
  expect(error.message).toBe(`the thread of the embedded engine failed: ${told}`);
  expect(error.hint).toContain("send fewer or shorter rows");
  await engine.close();
});
