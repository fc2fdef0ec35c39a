import { describe, expect, test } from "vitest";
import { scoringDatum, tokens, type Datum } from "../contract/index.ts";
import { createFakeEngine, expectClose, expectGolden, tinyModel, tolerances } from "../testing/index.ts";
import { judgeMismatch, mismatchThresholdNats } from "./mismatch-alarm.ts";
import { measureMismatch, mismatchMetrics } from "./mismatch.ts";

const exact = tolerances.float64;

const row = (behavior: readonly number[], weights: readonly number[] = behavior.map(() => 1)): Datum => ({
  input: [tokens(behavior.map(() => 1))],
  targets: Int32Array.from(behavior, () => 1),
  weights: Float32Array.from(weights),
  behaviorLogprobs: Float32Array.from(behavior),
});

describe("what is measured", () => {
  test("by hand: differences of 0.5 and -0.25 of trained tokens", () => {
    expectGolden({
      input: [-0.5, -2.25, -1],
      perturbed: [-0.5, -2.26, -1],
      expected: {
        tokenCount: 2,
        meanAbsolute: 0.375,
        maxAbsolute: 0.5,
        klK1: -0.125,
        klK3: (Math.exp(0.5) - 1.5 + Math.exp(-0.25) - 0.75) / 2,
        median: (Math.exp(0.5) + Math.exp(-0.25)) / 2,
      },
      tolerance: exact,
      compute: (trainer) => {
        const measured = measureMismatch([row([-1, -2, -9], [1, 1, 0])], [trainer]);
        if (measured.kind === "empty") return {};
        const { kind: _kind, ratioQuantiles, ...numbers } = measured;
        return { ...numbers, median: ratioQuantiles.p50 };
      },
    });
  });

  test("replayed rows and rows that nobody sampled do not count", () => {
    const { behaviorLogprobs: _behavior, ...written } = row([-1]);
    const replayed: Datum = { ...row([-1]), origin: { turnIds: [], isReplayed: true } };
    expect(measureMismatch([written, replayed], [[-5], [-5]])).toEqual({ kind: "empty" });
    const fresh = measureMismatch([written, replayed, row([-1])], [[-5], [-5], [-1]]);
    expect(fresh).toMatchObject({ tokenCount: 1, meanAbsolute: 0 });
  });

  test("metrics carry every number under its own name", () => {
    const measured = measureMismatch([row([-1, -2])], [[-0.5, -2.25]]);
    if (measured.kind === "empty") throw new Error("expected numbers");
    const metrics = mismatchMetrics(measured);
    expect(Object.keys(metrics).length).toBe(8);
    expect(metrics["mismatch/logprob/maxAbsolute"]).toBe(0.5);
    expect(metrics["mismatch/ratio/p99"]).toBeGreaterThan(metrics["mismatch/ratio/p1"] ?? Number.NaN);
  });
});

describe("the alarm", () => {
  test("has 1e-3 for fine arithmetic; elsewhere three clean runs, at least 1e-2", () => {
    expect(mismatchThresholdNats({ precision: "float32" })).toBe(1e-3);
    expect(mismatchThresholdNats({ precision: "float32", cleanMeanAbsolute: 5 })).toBe(1e-3);
    expect(mismatchThresholdNats({ precision: "float32", isQuantized: true })).toBe(1e-2);
    expect(mismatchThresholdNats({ precision: "bfloat16", cleanMeanAbsolute: 1e-3 })).toBe(1e-2);
    expectClose(
      mismatchThresholdNats({ precision: "bfloat16", cleanMeanAbsolute: 0.02 }),
      0.06,
      exact,
      "threshold",
    );
  });

  test("sounds above its threshold, not at it, and for what is no number", () => {
    const judge = (trainer: number) =>
      judgeMismatch(measureMismatch([row([0])], [[trainer]]), { precision: "float32" }).kind;
    expect([judge(0), judge(-1e-3), judge(-1.01e-3), judge(Number.NaN)]).toEqual([
      "quiet",
      "quiet",
      "alarm",
      "alarm",
    ]);
    expect(judgeMismatch({ kind: "empty" }, { precision: "float32" }).kind).toBe("quiet");
  });

  for (const nats of [0, 0.01, 0.1]) {
    test(`an engine that perturbs its log-probabilities by ${nats} ${nats === 0 ? "does not trip it" : "trips it"}`, async () => {
      const engine = createFakeEngine({ faults: [{ kind: "perturb-logprobs", nats }] });
      const model = await engine.createModel({ ...tinyModel(), name: "policy" });
      const version = await model.publish();
      const prompt = [tokens([1, 2, 3])];
      const { sequences } = await engine.sample(version, {
        prompt,
        count: 4,
        parameters: { maxTokens: 8, seed: 1 },
      });
      const data = sequences.map(({ tokenIds, logprobs }): Datum => {
        const datum = scoringDatum(prompt, tokenIds);
        const behaviorLogprobs = new Float32Array(datum.targets.length);
        behaviorLogprobs.set(logprobs, datum.targets.length - logprobs.length);
        return { ...datum, behaviorLogprobs };
      });
      const { logprobs } = await model.forward(data);
      const verdict = judgeMismatch(measureMismatch(data, logprobs), { precision: "float32" });
      expect(verdict.kind).toBe(nats === 0 ? "quiet" : "alarm");
      await engine.close();
    });
  }
});
