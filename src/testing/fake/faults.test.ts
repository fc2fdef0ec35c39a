/** What the fake engine can be told to do wrong, or slowly. */
import { describe, expect, test } from "vitest";
import { checkCanary, tokens, type Engine, type Model, type PolicyVersion } from "../../contract/index.ts";
import { mixedRows } from "../conformance/data.ts";
import { tinyModel } from "../conformance/tiny-model.ts";
import { expectCode } from "../expect-code.ts";
import { ManualTimer, nextTurn } from "../timer.ts";
import { createFakeEngine } from "./engine.ts";

const crossEntropy = { kind: "crossEntropy" } as const;
const sgd = { kind: "sgd", learningRate: 0.1 } as const;
const prompt = [tokens([1, 2, 3])];

const modelOf = (engine: Engine): Promise<Model> => engine.createModel({ ...tinyModel(), name: "policy" });

const ask = (engine: Engine, version: PolicyVersion, seed = 0) =>
  engine.sample(version, { prompt, parameters: { maxTokens: 6, seed } });

describe("faults", () => {
  test("the nth call of a kind fails and changes nothing; the others work", async () => {
    const engine = createFakeEngine({ faults: [{ kind: "fail", call: "forwardBackward", nth: 2 }] });
    const model = await modelOf(engine);
    const data = mixedRows(model);
    await model.forwardBackward(data, crossEntropy);
    await model.optimStep(sgd);
    const error = await expectCode(model.forwardBackward(data, crossEntropy), "engine-failed");
    expect(error.retryable).toBe(true);
    await expectCode(model.optimStep(sgd), "invalid-input");
    await model.forwardBackward(data, crossEntropy);
    await model.optimStep(sgd);
    expect(
      engine.callLog.filter((call) => call.kind === "forwardBackward").map((call) => call.outcome),
    ).toEqual(["answered", "failed", "answered"]);
  });

  test("a failure can be any error, and be added while the engine runs", async () => {
    const engine = createFakeEngine();
    const model = await modelOf(engine);
    engine.inject({ kind: "fail", call: "save", nth: 1, error: new Error("the disk is full") });
    await expect(model.save("/nowhere")).rejects.toThrow("the disk is full");
  });

  test("a call that hangs ends at its deadline, and only then the calls behind it go on", async () => {
    const engine = createFakeEngine({ faults: [{ kind: "hang", call: "optimStep", nth: 1 }] });
    const model = await modelOf(engine);
    const data = mixedRows(model);
    const before = await model.forward(data);
    const hanging = model
      .forwardBackward(data, crossEntropy)
      .then(() => model.optimStep(sgd, { timeoutMs: 20 }));
    await expectCode(hanging, "deadline-exceeded");
    expect((await model.forward(data)).logprobs).toEqual(before.logprobs);
  });

  test("a lost answer is an error although the step was taken", async () => {
    const engine = createFakeEngine({ faults: [{ kind: "lose-answer", call: "optimStep", nth: 1 }] });
    const model = await modelOf(engine);
    const data = mixedRows(model);
    const before = await model.forward(data);
    await model.forwardBackward(data, crossEntropy);
    const error = await expectCode(model.optimStep(sgd), "answer-lost");
    expect(error.retryable).toBe(false);
    expect((await model.forward(data)).logprobs).not.toEqual(before.logprobs);
  });

  test("perturbed log-probabilities are off by exactly so much, up and down; tokens stay", async () => {
    const clean = createFakeEngine();
    const noisy = createFakeEngine({ faults: [{ kind: "perturb-logprobs", nats: 0.05 }] });
    const answers = [];
    for (const engine of [clean, noisy]) {
      const model = await modelOf(engine);
      answers.push((await ask(engine, await model.publish())).sequences[0]);
    }
    const [plain, perturbed] = answers;
    expect(perturbed?.tokenIds).toEqual(plain?.tokenIds);
    const differences = [...(perturbed?.logprobs ?? [])].map(
      (logprob, index) => logprob - (plain?.logprobs[index] ?? 0),
    );
    differences.forEach((difference, index) =>
      expect(difference).toBeCloseTo(index % 2 === 0 ? 0.05 : -0.05, 5),
    );
  });

  test("a forgotten refresh gives a new version with the old weights, and the canary sees it", async () => {
    const engine = createFakeEngine({ faults: [{ kind: "forget-refresh", nth: 2 }] });
    const model = await modelOf(engine);
    const first = await model.publish();
    await checkCanary({ engine, model, version: first, prompt });
    await model.forwardBackward(mixedRows(model), crossEntropy);
    await model.optimStep(sgd);
    const second = await model.publish();
    expect(second.digest).not.toBe(first.digest);
    expect((await ask(engine, second)).sequences).toEqual((await ask(engine, first)).sequences);
    const error = await expectCode(checkCanary({ engine, model, version: second, prompt }), "stale-sampler");
    expect(error.facts["version"]).toBe(second.address);
    await checkCanary({ engine, model, version: await model.publish(), prompt });
  });

  test.each([1e200, 1e9])(
    "weights that a rate of %d has ruined are told from a sampler that keeps old ones",
    async (learningRate) => {
      const engine = createFakeEngine();
      const model = await modelOf(engine);
      const first = await model.publish();
      await model.forwardBackward(mixedRows(model), crossEntropy);
      await model.optimStep({ kind: "sgd", learningRate });
      const stale = checkCanary({ engine, model, version: first, prompt });
      const error = await expectCode(stale, "weights-diverged");
      expect(error.retryable).toBe(false);
      expect(error.hint).toContain("lower the learning rate");
    },
  );

  test("the canary's tolerance can be stated: a wide one lets small differences pass", async () => {
    const engine = createFakeEngine({ faults: [{ kind: "perturb-logprobs", nats: 0.01 }] });
    const model = await modelOf(engine);
    const version = await model.publish();
    await expectCode(checkCanary({ engine, model, version, prompt }), "stale-sampler");
    const report = await checkCanary({ engine, model, version, prompt, toleranceNats: 0.02, maxTokens: 4 });
    // Two prompt positions are exact, four sampled ones are off by 0.01.
    expect(report.tokenCount).toBe(6);
    expect(report.maxAbsoluteDifference).toBeCloseTo(0.01, 5);
    expect(report.meanAbsoluteDifference).toBeCloseTo((4 * 0.01) / 6, 5);
  });
});

describe("slowness", () => {
  test("each call of a kind takes its latency on the injected timer", async () => {
    const timer = new ManualTimer();
    const engine = createFakeEngine({ timer, latencyMs: { forward: 100 } });
    const model = await modelOf(engine);
    let answered = 0;
    const calls = [1, 2].map(() => model.forward(mixedRows(model)).then(() => (answered += 1)));
    await timer.advance(99);
    expect(answered).toBe(0);
    await timer.advance(1);
    expect(answered).toBe(1);
    await timer.advance(100);
    expect(answered).toBe(2);
    await Promise.all(calls);
  });

  test("sampling answers in batches of at most N in M milliseconds", async () => {
    const timer = new ManualTimer();
    const engine = createFakeEngine({ timer, sampleBatch: { size: 4, durationMs: 50 } });
    const model = await modelOf(engine);
    const version = await model.publish();
    let answered = 0;
    const calls = Array.from({ length: 10 }, (_unused, seed) =>
      ask(engine, version, seed).then(() => (answered += 1)),
    );
    const path: number[] = [];
    for (let step = 0; step < 3; step++) {
      await timer.advance(50);
      path.push(answered);
    }
    await Promise.all(calls);
    expect(path).toEqual([4, 8, 10]);
    expect(engine.sampleBatchSizes).toEqual([4, 4, 2]);
  });

  test("a request that was cancelled gives its place in the batch away", async () => {
    const timer = new ManualTimer();
    const engine = createFakeEngine({ timer, sampleBatch: { size: 1, durationMs: 50 } });
    const model = await modelOf(engine);
    const version = await model.publish();
    const cancelled = new AbortController();
    const first = ask(engine, version, 0);
    const dropped = engine.sample(
      version,
      { prompt, parameters: { maxTokens: 2, seed: 1 } },
      { signal: cancelled.signal },
    );
    const last = ask(engine, version, 2);
    await nextTurn();
    cancelled.abort();
    await expectCode(dropped, "aborted");
    await timer.advance(100);
    await Promise.all([first, last]);
    expect(engine.sampleBatchSizes).toEqual([1, 1]);
  });
});

test("it learns: an answer that is trained on becomes the greedy one", async () => {
  const engine = createFakeEngine();
  const model = await modelOf(engine);
  const datum = {
    input: [tokens([1, 2, 3])],
    targets: Int32Array.of(2, 3, 9),
    weights: Float32Array.of(0, 0, 1),
  };
  for (let step = 0; step < 30; step++) {
    await Promise.all([
      model.forwardBackward([datum], crossEntropy),
      model.optimStep({ kind: "adam", learningRate: 0.05 }),
    ]);
  }
  const { sequences } = await engine.sample(await model.publish(), {
    prompt,
    parameters: { maxTokens: 1, temperature: 0, seed: 0 },
  });
  expect(sequences[0]?.tokenIds).toEqual([9]);
});

test("an image with another number of positions than the engine said is refused", async () => {
  const engine = createFakeEngine();
  const model = await modelOf(engine);
  const image = {
    kind: "image",
    pixels: new Uint8Array(3),
    widthPixels: 1,
    heightPixels: 1,
    channels: 3,
    positionCount: 7,
  } as const;
  const sample = engine.sample(await model.publish(), {
    prompt: [image],
    parameters: { maxTokens: 1, seed: 0 },
  });
  await expectCode(sample, "invalid-input");
});
