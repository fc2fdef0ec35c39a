/** Conformance: published versions are immutable, scored as the model scores, and guarded by the canary. */
import { expect } from "vitest";
import { checkCanary, tokens, type Model, type PolicyVersion } from "../../contract/index.ts";
import { expectCode } from "../expect-code.ts";
import { expectClose } from "../expect-golden.ts";
import {
  expectChanged,
  expectSame,
  forwardOf,
  type ConformanceContext,
  type ConformanceTest,
} from "./context.ts";
import { mixedRows, rowOf } from "./data.ts";
import { draw } from "./sampling.ts";

const crossEntropy = { kind: "crossEntropy" } as const;
const prompt = [1, 2, 3];

export const versionTests: readonly ConformanceTest[] = [
  {
    title: "computeLogprobs gives forward's log-probabilities",
    run: (context) =>
      context.withModel(async (model) => {
        const version = await model.publish();
        const rows = [
          [1, 2, 3, 4, 5],
          [3, 0, 2],
        ];
        const scored = await context.engine.computeLogprobs(
          version,
          rows.map((ids) => [tokens(ids)]),
        );
        const forward = await forwardOf(
          model,
          rows.map((ids) => rowOf(ids, new Float32Array(ids.length - 1).fill(1))),
        );
        expectClose(scored, forward, context.tolerance, "log-probabilities");
      }),
  },
  {
    title: "a version does not change when its model is trained further or released",
    needs: ["loss:crossEntropy"],
    run: async (context) => {
      const model = await context.createModel();
      const version = await model.publish();
      const before = await observe(context, version);
      await train(context, model);
      const later = await model.publish();
      const other = await observe(context, later);
      expectChanged(context, [other.logprobs], [before.logprobs]);
      const after = await observe(context, version);
      expectSame(context, [after.logprobs], [before.logprobs]);
      expect(after.tokenIds).toEqual(before.tokenIds);
      await model.release();
      expectSame(context, [(await observe(context, version)).logprobs], [before.logprobs]);
      await context.engine.releaseVersion(version);
      await context.engine.releaseVersion(later);
    },
  },
  {
    title: "versions of a model are numbered from 1 and have addresses of their own",
    needs: ["loss:crossEntropy"],
    run: (context) =>
      context.withModel(async (model) => {
        const first = await model.publish();
        await train(context, model);
        const second = await model.publish();
        expect([first.number, second.number]).toEqual([1, 2]);
        expect([first.modelId, second.modelId]).toEqual([model.id, model.id]);
        expect(second.address).not.toBe(first.address);
        if (first.digest !== null) expect(second.digest).not.toBe(first.digest);
      }),
  },
  {
    title: "a version that was released or never published is unknown",
    run: (context) =>
      context.withModel(async (model) => {
        const version = await model.publish();
        await context.engine.releaseVersion(version);
        await expectCode(draw(context, version, prompt, { maxTokens: 1, seed: 0 }), "version-unknown");
        await expectCode(context.engine.computeLogprobs(version, [[tokens(prompt)]]), "version-unknown");
        const invented = { ...version, number: 99, address: `${version.address}-invented` };
        await expectCode(draw(context, invented, prompt, { maxTokens: 1, seed: 0 }), "version-unknown");
      }),
  },
  {
    title: "the canary passes right after each publish",
    needs: ["loss:crossEntropy"],
    run: (context) =>
      context.withModel(async (model) => {
        for (let round = 0; round < 2; round++) {
          const version = await model.publish();
          const report = await checkCanary({
            engine: context.engine,
            model,
            version,
            prompt: [tokens(prompt)],
          });
          expect(report.tokenCount).toBeGreaterThan(0);
          await train(context, model);
        }
      }),
  },
  {
    title: "the canary catches a sampler with stale weights",
    needs: ["loss:crossEntropy"],
    run: (context) =>
      context.withModel(async (model) => {
        const stale = await model.publish();
        await train(context, model);
        const error = await expectCode(
          checkCanary({ engine: context.engine, model, version: stale, prompt: [tokens(prompt)] }),
          "stale-sampler",
        );
        expect(error.facts["meanAbsoluteDifference"]).toBeGreaterThan(0);
      }),
  },
  {
    title: "a model from a trainable version starts there and leaves the version alone",
    needs: ["loss:crossEntropy", "several-models"],
    run: async (context) => {
      const parent = await context.createModel();
      await train(context, parent);
      const version = await parent.publish({ trainable: true });
      const before = await observe(context, version);
      const child = await context.createModel({ from: { kind: "version", version } });
      const data = mixedRows(parent);
      expectSame(context, await forwardOf(child, data), await forwardOf(parent, data));
      await train(context, child);
      expectChanged(context, await forwardOf(child, data), await forwardOf(parent, data));
      expectSame(context, [(await observe(context, version)).logprobs], [before.logprobs]);
    },
  },
];

/** Three steps that visibly change a model. */
export async function train(context: ConformanceContext, model: Model, steps = 3): Promise<void> {
  for (let step = 0; step < steps; step++) {
    await Promise.all([
      model.forwardBackward(mixedRows(model), crossEntropy),
      model.optimStep(context.fastOptimizer(0.02)),
    ]);
  }
}

/** What a version answers to a fixed question. */
async function observe(
  context: ConformanceContext,
  version: PolicyVersion,
): Promise<{ logprobs: Float32Array; tokenIds: readonly number[] }> {
  const [logprobs] = await context.engine.computeLogprobs(version, [[tokens([1, 2, 3, 4, 5, 0])]]);
  const [greedy] = await draw(context, version, prompt, { maxTokens: 4, temperature: 0, seed: 0 });
  return { logprobs: logprobs ?? new Float32Array(), tokenIds: greedy?.tokenIds ?? [] };
}
