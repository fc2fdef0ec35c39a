/** Training and decoding programs against the float64 oracle, for every option of the architecture. */
import { afterAll, describe, expect, test } from "vitest";
import { createRandom } from "../../../base/index.ts";
import type { Architecture } from "../../../contract/index.ts";
import { expectClose, expectDifferent, tolerances, widened } from "../../../testing/index.ts";
import { Executor } from "../executor/executor.ts";
import { ProgramLibrary } from "../executor/program-library.ts";
import { decodeBatch } from "../sampler/decode-batch.ts";
import { SamplingRow } from "../sampler/sampling-row.ts";
import { GradientBuffer } from "../training/gradient-buffer.ts";
import { accumulateGradients, computeOutputs, type Pass } from "../training/gradient-pass.ts";
import { newBlock, viewBlock, viewLeaf, type WeightBlock } from "../weights/weight-store.ts";
import { oracleLogprobs } from "./float64-oracle.ts";
import { resolveShape } from "./layout.ts";

const base: Architecture = {
  vocabularySize: 12,
  contextLength: 22,
  width: 16,
  layerCount: 2,
  headCount: 2,
  feedForwardWidth: 32,
};
const variants: readonly (readonly [string, Architecture])[] = [
  ["rms norms, rotary positions, gelu, tied embeddings", base],
  [
    "layer norms, learned positions, relu",
    { ...base, norm: "layer", positions: "learned", activation: "relu" },
  ],
  [
    "linear bias, gated unit, a head of its own, an odd vocabulary",
    { ...base, vocabularySize: 13, positions: "linear-bias", activation: "swiglu", tiedEmbeddings: false },
  ],
];
/** Sums over tens of float32 products; the generated exponential alone is good to 1.2e-6. */
const tolerance = widened(tolerances.float32, 3, "two layers of float32 sums with an exponential of 1e-6");

const executor = new Executor({ threads: 1 });
const library = new ProgramLibrary(executor);
const { heap } = executor;
afterAll(() => executor.close());

/** Weights of unit scale, so that attention is far from uniform. */
function makeWeights(architecture: Architecture): WeightBlock {
  const block = newBlock(heap, resolveShape(architecture));
  const random = createRandom(11);
  for (const leaf of block.leaves) {
    const deviation = leaf.shape.length === 1 ? 0.3 : 1.5 / Math.sqrt(leaf.isProjection ? leaf.shape[0]! : 4);
    const centre = leaf.name.endsWith("gain") ? 1 : 0;
    viewLeaf(heap, block, leaf).forEach(
      (_, index, all) => (all[index] = centre + deviation * random.normal()),
    );
  }
  return block;
}

function makeRows(
  architecture: Architecture,
  lengths: readonly number[],
): { tokens: Int32Array; targets: Int32Array }[] {
  const random = createRandom(2);
  return lengths.map((length) => {
    const ids = Int32Array.from({ length: length + 1 }, () => random.integer(architecture.vocabularySize));
    return { tokens: ids.slice(0, -1), targets: ids.slice(1) };
  });
}

describe.each(variants)("%s", (_title, architecture) => {
  const weights = makeWeights(architecture);
  const rows = makeRows(architecture, [5, 16, 22, 1]);
  const pass: Pass = { library, weights, rows, breathe: async () => undefined };
  const oracle = { shape: weights.shape, leaves: weights.leaves, weights: viewBlock(heap, weights) };

  test("log-probabilities are the oracle's", async () => {
    const { logprobs: computed } = await computeOutputs(pass);
    const expected = rows.map(({ tokens, targets }) => oracleLogprobs(oracle, [...tokens], [...targets]));
    expectClose(computed, expected, tolerance);
    const wrong = rows.map(({ tokens, targets }) =>
      oracleLogprobs(oracle, [...tokens].toReversed(), [...targets]),
    );
    expectDifferent(computed, wrong, tolerance);
  });

  test("gradients are the oracle's slopes, in every tensor", async () => {
    const gradients = new GradientBuffer(heap, weights.shape);
    const outer = rows.map(({ tokens }, row) =>
      Float64Array.from(tokens, (_, index) => Math.sin(row + index)),
    );
    await accumulateGradients(pass, gradients, {
      kind: "whole",
      evaluate: async () => ({ logprobs: outer }),
    });
    const value = (changed: Float64Array): number =>
      rows.reduce((sum, { tokens, targets }, row) => {
        const logprobs = oracleLogprobs({ ...oracle, weights: changed }, [...tokens], [...targets]);
        return sum + logprobs.reduce((total, logprob, index) => total + logprob * outer[row]![index]!, 0);
      }, 0);
    const actual: Record<string, number> = {};
    const expected: Record<string, number> = {};
    for (const leaf of weights.leaves.filter(({ name }) => !name.startsWith("layers.1."))) {
      const index = leaf.offset + Math.floor(leaf.length / 3);
      const shifted = (step: number): Float64Array => {
        const changed = Float64Array.from(oracle.weights);
        changed[index]! += step;
        return changed;
      };
      actual[leaf.name] = gradients.view()[index]!;
      expected[leaf.name] = (value(shifted(1e-6)) - value(shifted(-1e-6))) / 2e-6;
    }
    expectClose(
      actual,
      expected,
      widened(tolerances.float32, 30, "sums of cancelling terms over 44 positions"),
    );
    gradients.release();
  });

  test("sampling reports the oracle's log-probabilities and tokens do not depend on company", async () => {
    const alone = await sampleRows(weights, [{ prompt: 3, seed: 1 }]);
    const many = Array.from({ length: 21 }, (_, index) => ({ prompt: (index % 20) + 1, seed: index }));
    const together = await sampleRows(weights, [...many, { prompt: 3, seed: 1 }]);
    const last = together.at(-1)!;
    expect(last.tokenIds).toEqual(alone[0]!.tokenIds);
    expect(last.logprobs).toEqual(alone[0]!.logprobs);
    for (const row of together) {
      const ids = [...row.prompt, ...row.tokenIds];
      const expected = oracleLogprobs(oracle, ids.slice(0, -1), ids.slice(1)).slice(row.prompt.length - 1);
      expectClose(row.logprobs, expected, tolerance);
    }
  });
});

test.each(["gelu", "swiglu"] as const)(
  "%s has finite gradients far out, where exponentials overflow",
  async (activation) => {
    const weights = makeWeights({ ...base, activation });
    for (const leaf of weights.leaves.filter(({ name }) => /up|gate/.test(name))) {
      viewLeaf(heap, weights, leaf).forEach((weight, index, all) => (all[index] = weight * 100));
    }
    const gradients = new GradientBuffer(heap, weights.shape);
    const rows = makeRows(base, [16]);
    const pass: Pass = { library, weights, rows, breathe: async () => undefined };
    const outer = rows.map(({ tokens }) => Float64Array.from(tokens, () => 1));
    await accumulateGradients(pass, gradients, {
      kind: "whole",
      evaluate: async () => ({ logprobs: outer }),
    });
    expect(gradients.view().every(Number.isFinite)).toBe(true);
    gradients.release();
  },
);

async function sampleRows(
  weights: WeightBlock,
  wanted: readonly { prompt: number; seed: number }[],
): Promise<SamplingRow[]> {
  const { vocabularySize, contextLength } = weights.shape;
  const rows = wanted.map(({ prompt, seed }) => {
    const settings = {
      maxTokens: 40,
      temperature: 1,
      topP: 1,
      topK: 0,
      stopTokenIds: new Set([seed % 4]),
      stopStrings: [],
    };
    const ids = Int32Array.from({ length: prompt }, (_, index) => (index * 5 + prompt) % vocabularySize);
    return new SamplingRow({
      prompt: ids,
      settings,
      random: createRandom(seed),
      contextLength,
      tokenizer: undefined,
      isCancelled: () => false,
    });
  });
  await decodeBatch({ library, weights, rows, breathe: async () => undefined });
  return rows;
}
