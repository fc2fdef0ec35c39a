import { describe, expect, test } from "vitest";
import { isSparError, type SparError } from "../base/index.ts";
import { checkChunks, checkData, checkDatum, checkLossSettings } from "./check-input.ts";
import { checkOptimizerParameters, checkSampleRequest } from "./check-request.ts";
import { tokens, type Datum, type ImageChunk } from "./inputs.ts";
import type { SamplingParameters } from "./sampling.ts";

const sizes = { vocabularySize: 10, contextLength: 6 };

const image: ImageChunk = {
  kind: "image",
  pixels: new Uint8Array(12),
  widthPixels: 2,
  heightPixels: 2,
  channels: 3,
  positionCount: 2,
};

const good: Datum = {
  input: [tokens([1, 2, 3])],
  targets: Int32Array.of(2, 3, 4),
  weights: Float32Array.of(0, 1, 1),
  advantages: Float32Array.of(0, 1, -1),
  behaviorLogprobs: Float32Array.of(0, -1, -2),
  constants: { side: 1, reference: Float32Array.of(0, -1, -1) },
};

function refusal(check: () => void): SparError {
  try {
    check();
  } catch (thrown) {
    if (isSparError(thrown)) return thrown;
    throw thrown;
  }
  throw new Error("expected a refusal, got none");
}

describe("a training row", () => {
  test("that is well formed passes, with text, images and every loss", () => {
    checkData([good], sizes);
    for (const kind of ["crossEntropy", "importanceSampling"] as const) checkData([good], sizes, { kind });
    // Positions: image, image, 5; targets: image, 5, 6.
    checkDatum(
      { input: [image, tokens([5])], targets: Int32Array.of(0, 5, 6), weights: Float32Array.of(0, 1, 1) },
      sizes,
    );
  });

  const refused: Readonly<Record<string, { readonly datum: Datum; readonly says: RegExp }>> = {
    "weights of another length": {
      datum: { ...good, weights: Float32Array.of(1) },
      says: /row 3: weights: expected 3 values .* got 1/,
    },
    "targets of another length": {
      datum: { ...good, targets: Int32Array.of(1, 2) },
      says: /targets: expected 3 values .* got 2/,
    },
    "a constant of another length": {
      datum: { ...good, constants: { reference: Float32Array.of(1) } },
      says: /constant reference: expected 3 values/,
    },
    "a weight that is no number": {
      datum: { ...good, weights: Float32Array.of(0, Number.NaN, 1) },
      says: /expected finite numbers, got NaN at position 1/,
    },
    "a constant that is endless": {
      datum: { ...good, constants: { side: Number.POSITIVE_INFINITY } },
      says: /finite constant side, got Infinity/,
    },
    "a target beyond the vocabulary": {
      datum: { ...good, targets: Int32Array.of(2, 10, 4) },
      says: /targets in 0 \.\. 9, got 10 at position 1/,
    },
    "an input id that is no integer": {
      datum: { ...good, input: [tokens([1, 2.5, 3])] },
      says: /token ids in 0 \.\. 9, got 2.5/,
    },
    "an empty input": {
      datum: { input: [], targets: new Int32Array(), weights: new Float32Array() },
      says: /at least one position/,
    },
    "more positions than the context": {
      datum: { ...good, input: [tokens([1, 1, 1, 1, 1, 1, 1])] },
      says: /at most 6 positions .* got 7/,
    },
    "a weight on a target that is an image": {
      datum: {
        input: [tokens([1]), image],
        targets: Int32Array.of(0, 0, 5),
        weights: Float32Array.of(1, 0, 1),
      },
      says: /weight 0 at position 0, which predicts an image/,
    },
    "a target that stands for an image and is not 0": {
      datum: {
        input: [tokens([1]), image],
        targets: Int32Array.of(3, 0, 5),
        weights: Float32Array.of(0, 0, 1),
      },
      says: /target 0 .* got target 3/,
    },
    "an image without its pixels": {
      datum: {
        input: [{ ...image, pixels: new Uint8Array(3) }],
        targets: Int32Array.of(0, 0),
        weights: Float32Array.of(0, 0),
      },
      says: /2 x 2 x 3 = 12 values, got 3/,
    },
  };
  for (const [what, { datum, says }] of Object.entries(refused)) {
    test(`with ${what} is refused with its number, what was expected and what came`, () => {
      const error = refusal(() => checkDatum(datum, { ...sizes, row: 3 }));
      expect(error.code).toBe("invalid-input");
      expect(error.message).toMatch(/^row 3/);
      expect(error.message).toMatch(says);
    });
  }

  test("without what the loss reads is refused", () => {
    const { advantages: _advantages, ...without } = good;
    expect(refusal(() => checkData([good, without], sizes, { kind: "importanceSampling" })).message).toMatch(
      /row 1.*needs advantages/,
    );
    checkData([without], sizes, { kind: "crossEntropy" });
  });

  test("is wanted at least once", () => {
    expect(refusal(() => checkData([], sizes)).message).toMatch(/empty batch/);
  });
});

test("loss settings without meaning are refused", () => {
  expect(refusal(() => checkLossSettings({ kind: "ppo", clipLow: 1.2, clipHigh: 0.8 })).code).toBe(
    "invalid-input",
  );
  expect(refusal(() => checkLossSettings({ kind: "cispo", clipLow: -1, clipHigh: 2 })).code).toBe(
    "invalid-input",
  );
  expect(refusal(() => checkLossSettings({ kind: "dro", beta: Number.NaN })).code).toBe("invalid-input");
});

test("chunks may hold images and tokens in any order", () => {
  checkChunks([image, tokens([1, 2]), image], sizes);
  expect(refusal(() => checkChunks([image, image, image, image], sizes)).message).toMatch(/got 8/);
});

describe("a sampling request", () => {
  const request =
    (changes: Partial<SamplingParameters>): (() => void) =>
    () =>
      checkSampleRequest({ prompt: [tokens([1])], parameters: { maxTokens: 4, seed: 1, ...changes } }, sizes);

  test("with sound parameters passes", () => {
    const sound = [{}, { temperature: 0 }, { topP: 0.1 }, { topK: 3 }, { stopTokenIds: [9] }];
    for (const changes of sound) expect(request(changes)).not.toThrow();
  });

  test("is refused for each parameter without meaning, by name", () => {
    const refused: readonly Partial<SamplingParameters>[] = [
      { maxTokens: 0 },
      { maxTokens: 1.5 },
      { temperature: -0.1 },
      { temperature: Number.NaN },
      { topP: 0 },
      { topP: 1.01 },
      { topK: -1 },
      { seed: 0.5 },
      { stopTokenIds: [10] },
    ];
    for (const changes of refused) {
      const error = refusal(request(changes));
      expect(error.code).toBe("invalid-input");
      expect(error.message).toContain(Object.keys(changes)[0]);
    }
  });
});

test("optimizer settings without meaning are refused by name", () => {
  checkOptimizerParameters({ kind: "adamw", learningRate: 1e-3, beta1: 0.9, clipGradientNorm: 1 });
  checkOptimizerParameters({ kind: "sgd", learningRate: 0 });
  expect(refusal(() => checkOptimizerParameters({ kind: "adam", learningRate: -1 })).message).toMatch(
    /learningRate/,
  );
  expect(
    refusal(() => checkOptimizerParameters({ kind: "adam", learningRate: 1, beta2: 1 })).message,
  ).toMatch(/beta2/);
  expect(
    refusal(() => checkOptimizerParameters({ kind: "rmsprop", learningRate: 1, alpha: Number.NaN })).message,
  ).toMatch(/alpha/);
});
