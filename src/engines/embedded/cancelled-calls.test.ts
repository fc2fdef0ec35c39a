/** A call that was cancelled has happened or not, as far as anybody can tell, and leaves nothing in memory. */
import { afterAll, expect, test, vi } from "vitest";
import { createRandom } from "../../base/index.ts";
import { tokens, type Architecture, type Datum, type Model } from "../../contract/index.ts";
import { expectCode } from "../../testing/index.ts";
import { createEngine } from "./engine.ts";

const architecture: Architecture = {
  vocabularySize: 8,
  contextLength: 32,
  width: 32,
  layerCount: 2,
  headCount: 2,
};
const engine = createEngine({ threadCount: 1 });
vi.setConfig({ testTimeout: 60_000 });
afterAll(() => engine.close());

function makeModel(name: string, more: Partial<Architecture> = {}, signal?: AbortSignal): Promise<Model> {
  const from = { kind: "architecture", architecture: { ...architecture, ...more }, seed: 1 } as const;
  return engine.createModel({ name, from }, signal === undefined ? {} : { signal });
}

const rows = Array.from({ length: 200 }, (_unused, row): Datum => {
  const targets = Int32Array.from({ length: 5 + (row % 26) }, (_none, position) => (row * position) % 8);
  return { input: [tokens([...targets])], targets, weights: new Float32Array(targets.length).fill(0.01) };
});
const few = rows.slice(0, 3);
const loss = { kind: "crossEntropy" } as const;

/** Whether it was still under way so much later. */
async function cancelAfter<T>(afterMs: number, call: (signal: AbortSignal) => Promise<T>): Promise<boolean> {
  const controller = new AbortController();
  const ended = call(controller.signal).then(
    () => null,
    (thrown: unknown) => thrown,
  );
  await new Promise((resolve) => setTimeout(resolve, afterMs));
  controller.abort();
  const thrown = await ended;
  if (thrown !== null) expect(thrown).toMatchObject({ code: "aborted" });
  return thrown !== null;
}

async function timed(call: () => Promise<unknown>): Promise<number> {
  const startMs = performance.now();
  await call();
  return performance.now() - startMs;
}

test("gradients that were cancelled on the way leave those before them as they were, bit for bit", async () => {
  const [one, other] = [await makeModel("one"), await makeModel("other")];
  await one.forward(rows);
  const durationMs = await timed(() => other.forwardBackward(rows, loss));
  await other.discardGradients();
  const random = createRandom(3).split("cancel");
  let cancelledCount = 0;
  while (cancelledCount < 3) {
    await Promise.all([one, other].map((model) => model.forwardBackward(few, loss)));
    const afterMs = 0.6 * durationMs * random.uniform();
    if (!(await cancelAfter(afterMs, (signal) => one.forwardBackward(rows, loss, { signal })))) {
      await Promise.all([one, other].map((model) => model.discardGradients()));
      continue;
    }
    cancelledCount++;
    const [stepped, expected] = await Promise.all(
      [one, other].map((model) => model.optimStep({ kind: "adam", learningRate: 0.01 })),
    );
    expect(stepped).toEqual(expected);
  }
  const [version, same] = [await one.publish(), await other.publish()];
  expect(version.digest).toBe(same.digest);
  expect(version.digest).not.toBe((await (await makeModel("fresh")).publish()).digest);
});

test("samples that were cancelled change none that are drawn beside them or again", async () => {
  const version = await (await makeModel("sampled")).publish();
  const ask = (seed: number, signal?: AbortSignal) => {
    const request = { prompt: [tokens([1, 2, 3])], count: 20, parameters: { maxTokens: 25, seed } };
    return engine.sample(version, request, signal === undefined ? {} : { signal });
  };
  const alone = await ask(1);
  const durationMs = await timed(() => ask(1));
  for (const share of [0, 0.2, 0.5]) {
    const beside = ask(1);
    await cancelAfter(durationMs * share, (signal) => Promise.all([ask(2, signal), ask(3, signal)]));
    expect(await beside).toEqual(alone);
    expect(await ask(1)).toEqual(alone);
  }
});

test("a model and a version that nobody waited for are not kept", async () => {
  const model = await makeModel("kept");
  const before = (await engine.measureMemory()).tensorBytes;
  const controllers = [new AbortController(), new AbortController()] as const;
  const calls = [
    makeModel("unwanted", { width: 256 }, controllers[0].signal),
    model.publish({}, { signal: controllers[1].signal }),
  ];
  const ends = calls.map((call) => expectCode(call, "aborted"));
  // So late that they have been sent, so early that no answer has come.
  await new Promise((resolve) => setImmediate(resolve));
  for (const controller of controllers) controller.abort();
  await Promise.all(ends);
  // The engine learns of it when it has made what nobody wants.
  await vi.waitFor(async () => expect((await engine.measureMemory()).tensorBytes).toBe(before), 10_000);
  await (await makeModel("unwanted")).release();
  expect((await engine.measureMemory()).tensorBytes).toBe(before);
});
