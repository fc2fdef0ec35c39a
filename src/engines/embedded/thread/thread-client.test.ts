/** No wait outlives the thread that it waits for (promise 3). */
import { Worker } from "node:worker_threads";
import { expect, test, vi } from "vitest";
import { tokens, type Datum } from "../../../contract/index.ts";
import { expectCode } from "../../../testing/index.ts";
import { createEngine } from "../engine.ts";

const rows = Array.from({ length: 256 }, (): Datum => {
  const targets = new Int32Array(15).fill(1);
  return { input: [tokens([...targets])], targets, weights: new Float32Array(15).fill(1) };
});

test("a thread that dies during calls fails them and every later one, and the engine still closes", async () => {
  // The thread of the engine is the only Worker that this thread makes.
  const keptAlive = vi.spyOn(Worker.prototype, "ref");
  const engine = createEngine({ threadCount: 1 });
  const architecture = { vocabularySize: 8, contextLength: 16, width: 32, layerCount: 2, headCount: 2 };
  const model = await engine.createModel({
    name: "m",
    from: { kind: "architecture", architecture, seed: 1 },
  });
  const version = await model.publish();
  const thread = keptAlive.mock.contexts[0];
  keptAlive.mockRestore();
  const calls = [
    model.forwardBackward(rows, { kind: "crossEntropy" }),
    model.optimStep({ kind: "adam", learningRate: 1e-3 }),
    engine.sample(version, { prompt: [tokens([1])], parameters: { maxTokens: 8, seed: 1 } }),
  ];
  const ends = calls.map((call) => expectCode(call, "engine-failed"));
  if (thread instanceof Worker) await thread.terminate();
  for (const error of await Promise.all(ends)) expect(error.message).toContain("thread");
  await expectCode(model.forward(rows), "engine-failed");
  await engine.close();
});
