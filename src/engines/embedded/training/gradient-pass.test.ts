import { afterAll, expect, test } from "vitest";
import { createRandom } from "../../../base/index.ts";
import { expectClose, tolerances, widened } from "../../../testing/index.ts";
import { Executor } from "../executor/executor.ts";
import { ProgramLibrary } from "../executor/program-library.ts";
import { resolveShape } from "../model/layout.ts";
import { initialiseBlock, newBlock } from "../weights/weight-store.ts";
import { GradientBuffer } from "./gradient-buffer.ts";
import { accumulateGradients, type LossStage, type Pass } from "./gradient-pass.ts";

const executor = new Executor({ threads: 1 });
afterAll(() => executor.close());
const library = new ProgramLibrary(executor);
const weights = newBlock(
  executor.heap,
  resolveShape({ vocabularySize: 8, contextLength: 40, width: 8, layerCount: 1, headCount: 1 }),
);
initialiseBlock(executor.heap, weights, 1);
const random = createRandom(1);
/** Several micro-batches of several shapes. */
const rows = Array.from({ length: 300 }, (_, row) => {
  const ids = Int32Array.from({ length: 2 + (row % 38) }, () => random.integer(8));
  return { tokens: ids.slice(0, -1), targets: ids.slice(1) };
});
const pass: Pass = { library, weights, rows, breathe: async () => undefined };

/** The gradient of the sum of squares of all log-probabilities. */
const rowWise: LossStage = {
  kind: "row-wise",
  evaluate: (_indices, logprobs) => ({ logprobs: logprobs.map((row) => row.map((logprob) => 2 * logprob)) }),
};
const whole: LossStage = {
  kind: "whole",
  evaluate: async ({ logprobs }) => ({ logprobs: logprobs.map((row) => row.map((logprob) => 2 * logprob)) }),
};

test("a loss that looks at each row and one that looks at all give the same gradient", async () => {
  const [one, other] = [
    new GradientBuffer(executor.heap, weights.shape),
    new GradientBuffer(executor.heap, weights.shape),
  ];
  const first = await accumulateGradients(pass, one, rowWise);
  const second = await accumulateGradients(pass, other, whole);
  expect(second).toEqual(first);
  expect(other.view()).toEqual(one.view());
});

test("twice the same call is twice the gradient", async () => {
  const gradients = new GradientBuffer(executor.heap, weights.shape);
  await accumulateGradients(pass, gradients, rowWise);
  const once = new Float32Array(gradients.view());
  await accumulateGradients(pass, gradients, rowWise);
  expectClose(
    gradients.view(),
    once.map((value) => 2 * value),
    widened(tolerances.float32, 10, "sums in another order"),
  );
});

test.each([0, 2, 5])(
  "a call that fails after %i breaths leaves the sum as it was, bit for bit",
  async (breaths) => {
    for (const stage of [rowWise, whole]) {
      const gradients = new GradientBuffer(executor.heap, weights.shape);
      await accumulateGradients(pass, gradients, rowWise);
      const before = new Float32Array(gradients.view());
      let left = breaths;
      const breathe = async (): Promise<void> => {
        left -= 1;
        if (left < 0) throw new Error("cancelled");
      };
      await expect(accumulateGradients({ ...pass, breathe }, gradients, stage)).rejects.toThrow("cancelled");
      expect(gradients.view()).toEqual(before);
      expect(gradients.isEmpty).toBe(false);
    }
  },
);
