/**
 * A model that has learned to prefer some next tokens: at its start a model is so near to uniform that
 * no test of temperature, top-k or top-p could fail.
 */
import { expect } from "vitest";
import { tokens, type Model, type PolicyVersion } from "../../contract/index.ts";
import type { ConformanceContext } from "./context.ts";
import { rowOf } from "./data.ts";

/** The prompt after which the preference was learned. */
export const skewedPrompt: readonly number[] = [1, 2, 3];

const preferred: readonly { readonly tokenId: number; readonly share: number }[] = [
  { tokenId: 4, share: 0.55 },
  { tokenId: 5, share: 0.25 },
  { tokenId: 6, share: 0.12 },
  { tokenId: 0, share: 0.08 },
];

export interface SkewedModel {
  readonly model: Model;
  readonly version: PolicyVersion;
}

/** Trains until one next token is clearly preferred, and publishes. */
export async function withSkewedModel(
  context: ConformanceContext,
  body: (skewed: SkewedModel) => Promise<void>,
): Promise<void> {
  await context.withModel(async (model) => {
    const data = preferred.map(({ tokenId, share }) =>
      rowOf([...skewedPrompt, tokenId], Float32Array.of(0, 0, share)),
    );
    let logprob = Number.NEGATIVE_INFINITY;
    for (let step = 0; step < 200 && logprob < Math.log(0.45); step++) {
      const result = await model.forwardBackward(data, { kind: "crossEntropy" });
      logprob = result.logprobs[0]?.[2] ?? Number.NEGATIVE_INFINITY;
      // A rate that shrinks, since adapters that jump back and forth across the goal never reach it.
      await model.optimStep(context.fastOptimizer(0.01 / (1 + step / 50)));
    }
    expect(logprob, "the model should have learned the preference").toBeGreaterThan(Math.log(0.4));
    await body({ model, version: await model.publish() });
  });
}

/** Log-probabilities of every token of the vocabulary after a prompt. */
export async function nextLogprobs(
  context: ConformanceContext,
  { model, version }: SkewedModel,
  prompt: readonly number[],
): Promise<number[]> {
  const inputs = Array.from({ length: model.vocabularySize }, (_unused, tokenId) => [
    tokens([...prompt, tokenId]),
  ]);
  const scored = await context.engine.computeLogprobs(version, inputs);
  return scored.map((row) => row.at(-1) ?? Number.NaN);
}
