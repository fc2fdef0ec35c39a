/** Conformance: samples are the model's own, repeatable, and end where they should. */
import { expect } from "vitest";
import {
  scoringDatum,
  tokens,
  type PolicyVersion,
  type SampledSequence,
  type SamplingParameters,
} from "../../contract/index.ts";
import { expectCode } from "../expect-code.ts";
import { expectClose, expectDifferent } from "../expect-golden.ts";
import { widened } from "../tolerances.ts";
import { expectSame, forwardOf, type ConformanceContext, type ConformanceTest } from "./context.ts";
import { skewedPrompt, withSkewedModel } from "./skewed-model.ts";

const prompt = [1, 2, 3];

export const samplingTests: readonly ConformanceTest[] = [
  {
    title: "sampled log-probabilities are forward's",
    run: (context) =>
      context.withModel(async (model) => {
        const version = await model.publish();
        const sequences = await draw(context, version, prompt, { maxTokens: 8, seed: 3 }, 3);
        for (const { tokenIds, logprobs } of sequences) {
          const [forward = new Float32Array()] = await forwardOf(model, [
            scoringDatum([tokens(prompt)], tokenIds),
          ]);
          const own = forward.slice(prompt.length - 1);
          expect(logprobs.length).toBe(tokenIds.length);
          expectClose(
            logprobs,
            own,
            widened(context.tolerance, 5, "a cache sums in another order"),
            "log-probabilities",
          );
          const shifted = tokenIds.map((tokenId) => (tokenId + 1) % model.vocabularySize);
          const [others = new Float32Array()] = await forwardOf(model, [
            scoringDatum([tokens(prompt)], shifted),
          ]);
          expectDifferent(
            logprobs,
            others.slice(prompt.length - 1),
            context.tolerance,
            "log-probabilities of other tokens",
          );
        }
      }),
  },
  {
    title: "log-probabilities are at temperature 1 and untruncated whatever the sampling",
    run: (context) =>
      withSkewedModel(context, async ({ model, version }) => {
        const settings = [
          { temperature: 0.5 },
          { temperature: 2, topK: 3 },
          { topP: 0.6 },
          { temperature: 0 },
        ];
        for (const changes of settings) {
          const [sequence] = await draw(context, version, skewedPrompt, {
            maxTokens: 5,
            seed: 11,
            ...changes,
          });
          const reply = sequence?.tokenIds ?? [];
          const [forward = new Float32Array()] = await forwardOf(model, [
            scoringDatum([tokens(skewedPrompt)], reply),
          ]);
          const tolerance = widened(context.tolerance, 5, "a cache sums in another order");
          expectClose(
            sequence?.logprobs ?? [],
            forward.slice(skewedPrompt.length - 1),
            tolerance,
            JSON.stringify(changes),
          );
        }
      }),
  },
  {
    title: "equal seeds give equal tokens, other seeds others",
    needs: ["deterministic"],
    run: (context) =>
      context.withModel(async (model) => {
        const version = await model.publish();
        const first = await draw(context, version, prompt, { maxTokens: 12, seed: 5 });
        const again = await draw(context, version, prompt, { maxTokens: 12, seed: 5 });
        const other = await draw(context, version, prompt, { maxTokens: 12, seed: 6 });
        expect(plain(again)).toEqual(plain(first));
        expect(plain(other)).not.toEqual(plain(first));
      }),
  },
  {
    title: "siblings are as many as asked for and draw differently",
    run: (context) =>
      context.withModel(async (model) => {
        const version = await model.publish();
        const siblings = await draw(context, version, prompt, { maxTokens: 12, seed: 5 }, 4);
        expect(siblings.length).toBe(4);
        expect(new Set(siblings.map(({ tokenIds }) => tokenIds.join(","))).size).toBeGreaterThan(1);
        if (!context.has("deterministic")) return;
        const fewer = await draw(context, version, prompt, { maxTokens: 12, seed: 5 }, 2);
        const same = siblings.slice(0, 2);
        if (context.has("batch-invariant")) {
          expect(plain(fewer), "sibling i has its own stream").toEqual(plain(same));
          return;
        }
        const idsOf = (sequences: readonly SampledSequence[]): unknown =>
          sequences.map(({ tokenIds }) => [...tokenIds]);
        expect(idsOf(fewer), "sibling i has its own stream").toEqual(idsOf(same));
        const logprobsOf = (sequences: readonly SampledSequence[]): Float32Array[] =>
          sequences.map(({ logprobs }) => logprobs);
        expectSame(context, logprobsOf(fewer), logprobsOf(same), null);
      }),
  },
  {
    title: "requests in any company get the same answers",
    needs: ["deterministic", "batch-invariant"],
    run: (context) =>
      context.withModel(async (model) => {
        const version = await model.publish();
        const requests = Array.from({ length: 6 }, (_unused, index) => ({
          prompt: Array.from(
            { length: 1 + (index % 4) },
            (_none, position) => (index + 2 * position) % model.vocabularySize,
          ),
          parameters: { maxTokens: 4 + index, seed: index, temperature: index === 3 ? 0 : 1 },
        }));
        const alone: SampledSequence[][] = [];
        for (const request of requests)
          alone.push(await draw(context, version, request.prompt, request.parameters));
        const together = await Promise.all(
          requests.map((request) => draw(context, version, request.prompt, request.parameters)),
        );
        expect(together.map(plain)).toEqual(alone.map(plain));
        const backwards = await Promise.all(
          requests.toReversed().map((request) => draw(context, version, request.prompt, request.parameters)),
        );
        expect(backwards.toReversed().map(plain)).toEqual(alone.map(plain));
      }),
  },
  {
    title: "a stop token ends the reply, is kept, and has its log-probability",
    run: (context) =>
      context.withModel(async (model) => {
        const version = await model.publish();
        const [free] = await draw(context, version, prompt, { maxTokens: 10, seed: 8 });
        const ids = free?.tokenIds ?? [];
        expect(free?.finishReason).toBe("length");
        expect(ids.length).toBe(10);
        const stop = ids[4] ?? 0;
        const [stopped] = await draw(context, version, prompt, {
          maxTokens: 10,
          seed: 8,
          stopTokenIds: [stop],
        });
        expect(stopped?.finishReason).toBe("stop");
        expect(stopped?.tokenIds.at(-1)).toBe(stop);
        expect(stopped?.tokenIds.indexOf(stop)).toBe((stopped?.tokenIds.length ?? 0) - 1);
        expect(stopped?.logprobs.length).toBe(stopped?.tokenIds.length);
        if (context.has("deterministic"))
          expect(stopped?.tokenIds).toEqual(ids.slice(0, ids.indexOf(stop) + 1));
      }),
  },
  {
    title: "a reply that fills the context ends with length",
    run: (context) =>
      context.withModel(async (model) => {
        if (model.contextLength > 64) return context.skip("needs a context of at most 64 positions");
        const version = await model.publish();
        const long = Array.from(
          { length: model.contextLength - 2 },
          (_unused, index) => index % model.vocabularySize,
        );
        const [sequence] = await draw(context, version, long, { maxTokens: 50, seed: 1 });
        expect(sequence?.finishReason).toBe("length");
        // Whether the last token may lie one beyond the context is the engine's choice.
        expect([2, 3]).toContain(sequence?.tokenIds.length);
      }),
  },
  {
    title: "stop strings end the reply where the decoded text holds them",
    needs: ["deterministic"],
    run: (context) =>
      context.withModel(async (model) => {
        const tokenizer = context.tokenizer();
        const version = await model.publish();
        const [free] = await draw(context, version, prompt, { maxTokens: 12, seed: 9 });
        const ids = free?.tokenIds ?? [];
        const textUntil = (count: number): string => tokenizer.decode(ids.slice(0, count));
        const stopString = Array.from(textUntil(ids.length)).slice(4, 6).join("");
        expect(stopString).not.toBe("");
        const [stopped] = await draw(context, version, prompt, {
          maxTokens: 12,
          seed: 9,
          stopStrings: [stopString],
        });
        expect(stopped?.finishReason).toBe("stop");
        const end = ids.findIndex((_tokenId, index) => textUntil(index + 1).includes(stopString));
        expect(stopped?.tokenIds).toEqual(ids.slice(0, end + 1));
      }),
  },
  {
    title: "stop strings without a tokenizer are refused",
    run: async (context) => {
      const bare = { from: context.architecture() };
      const model = await context.engine.createModel({ ...bare, name: "conformance-without-tokenizer" });
      try {
        const version = await model.publish();
        await expectCode(
          draw(context, version, prompt, { maxTokens: 2, seed: 1, stopStrings: ["b"] }),
          "invalid-input",
        );
      } finally {
        await model.release();
      }
    },
  },
  {
    title: "prompt log-probabilities are those of computeLogprobs",
    needs: ["prompt-logprobs"],
    run: (context) =>
      context.withModel(async (model) => {
        const version = await model.publish();
        const response = await context.engine.sample(version, {
          prompt: [tokens([1, 2, 3, 4, 5])],
          parameters: { maxTokens: 1, seed: 0 },
          includePromptLogprobs: true,
        });
        const scored = await context.engine.computeLogprobs(version, [[tokens([1, 2, 3, 4, 5])]]);
        expectSame(context, [response.promptLogprobs ?? []], scored, ["batch-invariant"]);
      }),
  },
];

/** Sequences of one request. */
export async function draw(
  context: ConformanceContext,
  version: PolicyVersion,
  promptIds: readonly number[],
  parameters: SamplingParameters,
  count = 1,
): Promise<SampledSequence[]> {
  const response = await context.engine.sample(version, { prompt: [tokens(promptIds)], parameters, count });
  return [...response.sequences];
}

function plain(sequences: readonly SampledSequence[]): unknown {
  return sequences.map(({ tokenIds, logprobs, finishReason }) => ({
    tokenIds: [...tokenIds],
    logprobs: [...logprobs],
    finishReason,
  }));
}
