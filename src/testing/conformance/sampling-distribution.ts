/** Conformance: what temperature, top-k and top-p do to the distribution that is drawn from. */
import { expect } from "vitest";
import type { SamplingParameters } from "../../contract/index.ts";
import type { ConformanceContext, ConformanceTest } from "./context.ts";
import { draw } from "./sampling.ts";
import { nextLogprobs, skewedPrompt, withSkewedModel, type SkewedModel } from "./skewed-model.ts";

const drawCount = 512;

/** Of 512 draws over 16 tokens the total variation is about 0.06 by chance, and hardly ever this. */
const chance = 0.13;

export const distributionTests: readonly ConformanceTest[] = [
  {
    title: "greedy takes the most likely token, whatever the seed",
    isOverVocabulary: true,
    run: (context) =>
      withSkewedModel(context, async (skewed) => {
        const reply: number[] = [];
        for (let position = 0; position < 3; position++) {
          const logprobs = await nextLogprobs(context, skewed, [...skewedPrompt, ...reply]);
          reply.push(logprobs.indexOf(Math.max(...logprobs)));
        }
        for (const seed of [1, 2]) {
          const [greedy] = await draw(context, skewed.version, skewedPrompt, {
            maxTokens: 3,
            temperature: 0,
            seed,
          });
          expect(greedy?.tokenIds).toEqual(reply);
        }
        const [one] = await draw(context, skewed.version, skewedPrompt, { maxTokens: 3, topK: 1, seed: 3 });
        expect(one?.tokenIds, "top-k of 1 is greedy").toEqual(reply);
      }),
  },
  {
    title: "draws follow the temperature",
    isOverVocabulary: true,
    run: (context) =>
      withSkewedModel(context, async (skewed) => {
        const logprobs = await nextLogprobs(context, skewed, skewedPrompt);
        const warm = await frequencies(context, skewed, {});
        const cold = await frequencies(context, skewed, { temperature: 0.4 });
        expect(totalVariation(warm, tempered(logprobs, 1))).toBeLessThan(chance);
        expect(totalVariation(cold, tempered(logprobs, 0.4))).toBeLessThan(chance);
        expect(totalVariation(cold, tempered(logprobs, 1)), "the test can tell them apart").toBeGreaterThan(
          chance,
        );
      }),
  },
  {
    title: "top-k draws from the k most likely tokens in their proportions",
    isOverVocabulary: true,
    run: (context) =>
      withSkewedModel(context, async (skewed) => {
        const logprobs = await nextLogprobs(context, skewed, skewedPrompt);
        const expected = truncated(logprobs, (rank) => rank < 2);
        const drawn = await frequencies(context, skewed, { topK: 2 });
        expectSupport(drawn, expected);
        expect(totalVariation(drawn, expected)).toBeLessThan(chance);
      }),
  },
  {
    title: "top-p draws from the smallest set of tokens that reaches the probability",
    isOverVocabulary: true,
    run: (context) =>
      withSkewedModel(context, async (skewed) => {
        const logprobs = await nextLogprobs(context, skewed, skewedPrompt);
        const ranked = logprobs.toSorted((a, b) => b - a).map(Math.exp);
        // Between the first two and the first three tokens, far from either border.
        const two = (ranked[0] ?? 0) + (ranked[1] ?? 0);
        const topP = two + (ranked[2] ?? 0) / 2;
        const expected = truncated(logprobs, (rank) => rank < 3);
        const drawn = await frequencies(context, skewed, { topP });
        expectSupport(drawn, expected);
        expect(totalVariation(drawn, expected)).toBeLessThan(chance);
      }),
  },
];

async function frequencies(
  context: ConformanceContext,
  { model, version }: SkewedModel,
  changes: Partial<SamplingParameters>,
): Promise<number[]> {
  const sequences = await draw(
    context,
    version,
    skewedPrompt,
    { maxTokens: 1, seed: 17, ...changes },
    drawCount,
  );
  const counts = Array.from<number>({ length: model.vocabularySize }).fill(0);
  for (const { tokenIds } of sequences) {
    const [tokenId = -1] = tokenIds;
    counts[tokenId] = (counts[tokenId] ?? 0) + 1;
  }
  return counts.map((count) => count / drawCount);
}

function tempered(logprobs: readonly number[], temperature: number): number[] {
  return normalised(logprobs.map((logprob) => Math.exp(logprob / temperature)));
}

function truncated(logprobs: readonly number[], keeps: (rank: number) => boolean): number[] {
  const order = logprobs
    .map((_logprob, tokenId) => tokenId)
    .toSorted((a, b) => (logprobs[b] ?? 0) - (logprobs[a] ?? 0) || a - b);
  return normalised(
    logprobs.map((logprob, tokenId) => (keeps(order.indexOf(tokenId)) ? Math.exp(logprob) : 0)),
  );
}

function normalised(masses: readonly number[]): number[] {
  const sum = masses.reduce((total, mass) => total + mass, 0);
  return masses.map((mass) => mass / sum);
}

function totalVariation(first: readonly number[], second: readonly number[]): number {
  return first.reduce((sum, value, index) => sum + Math.abs(value - (second[index] ?? 0)), 0) / 2;
}

/** Nothing was drawn that the truncation forbids. */
function expectSupport(drawn: readonly number[], expected: readonly number[]): void {
  const forbidden = drawn.flatMap((frequency, tokenId) =>
    frequency > 0 && expected[tokenId] === 0 ? [tokenId] : [],
  );
  expect(forbidden).toEqual([]);
}
