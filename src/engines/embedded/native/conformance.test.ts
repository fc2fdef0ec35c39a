/** The native executor keeps the engine contract and agrees with WebAssembly, where its package is installed. */
import { describe, expect, test } from "vitest";
import { isSparError } from "../../../base/index.ts";
import { tokens, type Architecture, type Datum, type Engine } from "../../../contract/index.ts";
import { expectClose, tolerances, widened } from "../../../testing/index.ts";
import { describeEngine } from "../../../testing/describe-engine.ts";
import { createEngine, type EmbeddedEngineOptions } from "../engine.ts";
import { findOnnxRuntime, installCommand } from "./find-onnx-runtime.ts";

function isInstalled(): boolean {
  try {
    findOnnxRuntime();
    return true;
  } catch (thrown) {
    if (isSparError(thrown) && thrown.code === "package-missing") return false;
    throw thrown;
  }
}

const isThere = isInstalled();
/** A vocabulary that is no multiple of four is padded, and the padding masked. */
const architecture: Architecture = {
  vocabularySize: 21,
  contextLength: 16,
  width: 32,
  layerCount: 2,
  headCount: 4,
  positions: "learned",
};
const rows = Array.from({ length: 9 }, (_, row): Datum => {
  const ids = Array.from({ length: 5 + row }, (_unused, index) => (row * 7 + index * index) % 20);
  const targets = Int32Array.from(ids.slice(1));
  return { input: [tokens(ids.slice(0, -1))], targets, weights: new Float32Array(targets.length).fill(0.1) };
});

/** Losses, gradient norms and last log-probabilities of five steps. */
async function trainFive(options: EmbeddedEngineOptions): Promise<number[][]> {
  const engine: Engine = createEngine(options);
  try {
    const model = await engine.createModel({
      name: "m",
      from: { kind: "architecture", architecture, seed: 5 },
    });
    const losses: number[] = [];
    const norms: number[] = [];
    for (let step = 0; step < 5; step++) {
      const pass = model.forwardBackward(rows, { kind: "crossEntropy" });
      const update = model.optimStep({ kind: "sgd", learningRate: 0.05 });
      losses.push((await pass).loss);
      norms.push((await update).gradientNorm ?? Number.NaN);
    }
    const { logprobs } = await model.forward(rows);
    return [losses, norms, logprobs.flatMap((row) => [...row])];
  } finally {
    await engine.close();
  }
}

test.skipIf(isThere)("without its package the native executor says how to install it", () => {
  expect(() => createEngine({ executor: "native" })).toThrow(
    expect.objectContaining({ code: "package-missing", hint: installCommand }),
  );
});

const title = isThere ? "the native executor" : `the native executor (not tested: ${installCommand})`;

describe.skipIf(!isThere)(title, () => {
  test("five steps have the losses, gradients and log-probabilities of WebAssembly", async () => {
    const native = await trainFive({ threadCount: 2, executor: "native" });
    const wasm = await trainFive({ threadCount: 2, executor: "wasm" });
    const tolerance = widened(
      tolerances.float32,
      10,
      "five updates of two layers of float32 sums, added up otherwise",
    );
    native.forEach((numbers, index) => expectClose(numbers, wasm[index] ?? [], tolerance));
    expect(native[0]?.at(-1)).toBeLessThan(native[0]?.[0] ?? 0);
  });

  describeEngine({
    name: "the embedded engine on ONNX Runtime",
    createEngine: () => createEngine({ threadCount: 2, executor: "native" }),
  });
});
