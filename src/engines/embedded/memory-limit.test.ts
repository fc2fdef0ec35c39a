/** An engine without memory left says so, changes nothing, and goes on with what fits (promise 3). */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterEach, expect, test, vi } from "vitest";
import { tokens, type Architecture, type Datum, type Model } from "../../contract/index.ts";
import { expectCode } from "../../testing/index.ts";
import { createEngine, type EmbeddedEngine } from "./engine.ts";

const mebibyte = 2 ** 20;
const small: Architecture = { vocabularySize: 8, contextLength: 64, width: 16, layerCount: 1, headCount: 1 };
const open: EmbeddedEngine[] = [];
vi.setConfig({ testTimeout: 60_000 });

afterEach(async () => {
  await Promise.all(open.splice(0).map((engine) => engine.close()));
});

function start(memoryLimitBytes: number): EmbeddedEngine {
  const engine = createEngine({ threadCount: 1, memoryLimitBytes });
  open.push(engine);
  return engine;
}

function makeModel(engine: EmbeddedEngine, more: Partial<Architecture> = {}, name = "small"): Promise<Model> {
  const from = { kind: "architecture", architecture: { ...small, ...more }, seed: 1 } as const;
  return engine.createModel({ name, from });
}

function makeRows(count: number, length: number): Datum[] {
  return Array.from({ length: count }, (_unused, row) => {
    const targets = Int32Array.from({ length }, (_none, position) => (row + position) % small.vocabularySize);
    return { input: [tokens([...targets])], targets, weights: new Float32Array(length).fill(1) };
  });
}

async function usedBytes(engine: EmbeddedEngine): Promise<number> {
  return (await engine.measureMemory()).tensorBytes;
}

test("a model that does not fit is refused with the limit and what to do, and leaves nothing behind", async () => {
  const engine = start(8 * mebibyte);
  const model = await makeModel(engine);
  const { digest } = await model.publish();
  const before = await usedBytes(engine);
  // The weights alone fit, and so does a first block of gradients: 4 MB each.
  for (let attempt = 0; attempt < 2; attempt++) {
    const error = await expectCode(makeModel(engine, { width: 256 }, "large"), "memory-exhausted");
    expect(error.message).toMatch(
      /holds \d,?\d+ KiB and needs \d,\d+ KiB more in one piece: beyond its limit of 8,192 KiB/u,
    );
    expect(error.hint).toContain("smaller model");
    expect(await usedBytes(engine)).toBe(before);
  }
  expect((await model.publish()).digest).toBe(digest);
});

test("a copy of a version and a saved model that do not fit leave nothing behind", async () => {
  const engine = start(17 * mebibyte);
  const model = await makeModel(engine, { width: 256 });
  const version = await model.publish({ trainable: true });
  const folder = join(mkdtempSync(join(tmpdir(), "spar-memory-")), "saved");
  await model.save(folder);
  const before = await usedBytes(engine);
  // The weights still fit, their gradients do not.
  for (const from of [{ kind: "version", version } as const, { kind: "saved", folder } as const]) {
    await expectCode(engine.createModel({ name: "copy", from }), "memory-exhausted");
    expect(await usedBytes(engine)).toBe(before);
  }
  await expectCode(
    start(2 * mebibyte).createModel({ name: "copy", from: { kind: "saved", folder } }),
    "memory-exhausted",
  );
  await model.release();
  const again = await engine.createModel({ name: "again", from: { kind: "saved", folder } });
  expect((await again.publish()).digest).toBe(version.digest);
  rmSync(dirname(folder), { recursive: true });
});

test("rows that do not fit fail, and what is computed afterwards is what a roomy engine computes", async () => {
  const [tight, roomy] = [start(2 * mebibyte), start(256 * mebibyte)];
  const [one, other] = [await makeModel(tight), await makeModel(roomy)];
  const train = (model: Model): Promise<unknown> =>
    Promise.all([
      model.forwardBackward(makeRows(4, 12), { kind: "crossEntropy" }),
      model.optimStep({ kind: "adam", learningRate: 1e-2 }),
    ]);
  await train(one);
  const before = await usedBytes(tight);
  const tooMuch = one.forwardBackward(makeRows(256, 60), { kind: "crossEntropy" });
  await expectCode(tooMuch, "memory-exhausted");
  expect(await usedBytes(tight)).toBeLessThanOrEqual(before);
  await Promise.all([train(one), train(other).then(() => train(other))]);
  const versions = [await one.publish(), await other.publish()] as const;
  expect(versions[0].digest).toBe(versions[1].digest);
  const request = { prompt: [tokens([1, 2])], count: 4, parameters: { maxTokens: 6, seed: 1 } };
  const whole = await roomy.sample(versions[1], request);
  const crowd = { ...request, count: 256, parameters: { maxTokens: 60, seed: 1 } };
  await expectCode(tight.sample(versions[0], crowd), "memory-exhausted");
  // By now every program that it needs is there.
  const held = await usedBytes(tight);
  await expectCode(tight.sample(versions[0], crowd), "memory-exhausted");
  expect(await usedBytes(tight)).toBe(held);
  expect(await tight.sample(versions[0], request)).toEqual(whole);
});

test.each([0, 1000, Number.NaN, 2 ** 33])("a limit of %d bytes is refused", (memoryLimitBytes) => {
  expect(() => createEngine({ memoryLimitBytes })).toThrow("memoryLimitBytes: expected");
});
