/** T5: the log-probability of an answer is a sum over its trained tokens, on a real forward pass. */
import { describe, expect, test } from "vitest";
import { rowOf } from "../testing/conformance/data.ts";
import { expectClose } from "../testing/expect-golden.ts";
import { logSoftmax } from "../testing/fake/network.ts";
import { printedTo } from "../testing/tolerances.ts";
import { pairConstants, pairsOf } from "./pair-rows.ts";

const logits = [
  [2, 0.5, -1],
  [0, 1, 0],
] as const;

/** Log-probabilities of the labels: one untrained prompt token, the two labels, padding behind. */
function labelLogprobs(prompt: number, padding: readonly number[]): Float64Array {
  const labels = logits.map((row, index) => logSoftmax(Float64Array.from(row))[index] ?? Number.NaN);
  return Float64Array.of(prompt, ...labels, ...padding);
}

function sumOfRow(prompt: number, padding: readonly number[]): number {
  const weights = Float32Array.of(0, 1, 1, ...padding.map(() => 0));
  const constants = (side: number) => ({ [pairConstants.side]: side, [pairConstants.reference]: 0 });
  const row = rowOf(
    Array.from({ length: weights.length + 1 }, () => 1),
    weights,
  );
  const data = [1, 0].map((side) => ({ ...row, groupId: "pair", constants: constants(side) }));
  const [pair] = pairsOf(
    data.map(() => labelLogprobs(prompt, padding)),
    data,
  );
  return pair?.real.policy ?? Number.NaN;
}

describe("T5: the log-probability of an answer", () => {
  test("is the sum over its tokens, not their mean", () => {
    expectClose(labelLogprobs(-1, []).slice(1), [-0.241311, -0.551445], printedTo(6), "tokens");
    const sum = sumOfRow(-1, []);
    expectClose(sum, -0.792756, printedTo(6), "sum");
    expect(Math.abs(sum - -0.396378), "the mean is the wrong reduction").toBeGreaterThan(0.3);
  });

  test("does not change with the prompt's tokens or the length of the padding", () => {
    const sum = sumOfRow(-1, []);
    expect(sumOfRow(-50, [])).toBe(sum);
    expect(sumOfRow(-1, [-3, -4, -5])).toBe(sum);
  });
});
