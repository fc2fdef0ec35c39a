import { expect, test } from "vitest";
import { tokens, type Datum } from "../contract/index.ts";
import { createFakeEngine, type FakeEngine } from "../testing/index.ts";
import { checkMismatch } from "./mismatch-check.ts";

const architecture = { vocabularySize: 6, contextLength: 32, width: 4, layerCount: 1, headCount: 1 };

async function measure(
  engine: FakeEngine,
  isReplayed = false,
): Promise<{ metrics: Record<string, number>; notes: string[] }> {
  const model = await engine.createModel({
    name: "policy",
    from: { kind: "architecture", architecture, seed: 1 },
  });
  const version = await model.publish();
  const { sequences } = await engine.sample(version, {
    prompt: [tokens([1])],
    count: 8,
    parameters: { maxTokens: 16, seed: 3 },
  });
  const data = sequences.map(({ tokenIds, logprobs }): Datum => ({
    input: [tokens([1, ...tokenIds.slice(0, -1)])],
    targets: Int32Array.from(tokenIds),
    weights: new Float32Array(tokenIds.length).fill(1),
    behaviorLogprobs: logprobs,
    origin: { turnIds: [], isReplayed },
  }));
  const metrics: Record<string, number> = {};
  const notes: string[] = [];
  await checkMismatch({
    model,
    description: { precision: "float32" },
    data,
    step: {
      metric: (name, _index, value) => void (metrics[name] = value),
      signal: new AbortController().signal,
    },
    report: { note: (text) => void notes.push(text) },
    index: 0,
  });
  return { metrics, notes };
}

test("a sampler that agrees with the trainer is measured and raises no alarm", async () => {
  const { metrics, notes } = await measure(createFakeEngine());
  expect(metrics["mismatch/tokens/count"]).toBe(128);
  expect(metrics["mismatch/logprob/meanAbsolute"]).toBeLessThan(1e-6);
  expect(metrics["mismatch/alarm"]).toBe(0);
  expect(notes).toEqual([]);
});

test.each([0.01, 0.03, 0.1])("a sampler that is off by %d nats trips the alarm", async (nats) => {
  const { metrics, notes } = await measure(
    createFakeEngine({ faults: [{ kind: "perturb-logprobs", nats }] }),
  );
  expect(metrics["mismatch/logprob/meanAbsolute"]).toBeCloseTo(nats, 4);
  expect(metrics["mismatch/alarm"]).toBe(1);
  expect(notes).toHaveLength(1);
});

test("rows that were trained on before are not measured", async () => {
  expect((await measure(createFakeEngine(), true)).metrics).toEqual({});
});
