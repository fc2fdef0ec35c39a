/** Conformance: models side by side, adapters, images, and the same seed twice. */
import { expect } from "vitest";
import { tokens, type Chunk, type Datum, type ImageChunk } from "../../contract/index.ts";
import { expectCode } from "../expect-code.ts";
import {
  expectChanged,
  expectSame,
  forwardOf,
  type ConformanceContext,
  type ConformanceTest,
} from "./context.ts";
import { mixedRows } from "./data.ts";
import { train } from "./versions.ts";

export const modelTests: readonly ConformanceTest[] = [
  {
    title: "the same start and the same training give the same bits",
    needs: ["deterministic", "loss:crossEntropy"],
    run: async (context) => {
      const run = (): Promise<readonly Float32Array[]> =>
        context.withModel(async (model) => {
          await train(context, model);
          return forwardOf(model, mixedRows(model));
        });
      expectSame(context, await run(), await run());
    },
  },
  {
    title: "another seed gives another model",
    run: async (context) => {
      const from = context.architecture();
      const run = (seed: number): Promise<readonly Float32Array[]> =>
        context.withModel((model) => forwardOf(model, mixedRows(model)), { from: { ...from, seed } });
      expectChanged(context, await run(from.seed), await run(from.seed + 1));
    },
  },
  {
    title: "training one model leaves another as it was",
    needs: ["several-models", "loss:crossEntropy"],
    run: async (context) => {
      const [first, second] = [await context.createModel(), await context.createModel()];
      const data = mixedRows(first);
      const before = await forwardOf(second, data);
      await second.forwardBackward(data, { kind: "crossEntropy" });
      await train(context, first);
      expectSame(context, await forwardOf(second, data), before);
      expectChanged(context, await forwardOf(first, data), before);
      await second.optimStep(context.smoothOptimizer(0.05));
      expectChanged(context, await forwardOf(second, data), before);
    },
  },
  {
    title: "two live models cannot share a name",
    needs: ["several-models"],
    run: async (context) => {
      const model = await context.createModel();
      await expectCode(
        context.engine.createModel({ ...context.modelUnderTest, name: model.name }),
        "invalid-input",
      );
    },
  },
  {
    title: "sizes of a model are those that were asked for",
    run: async (context) => {
      const { architecture } = context.architecture();
      await context.withModel(async (model) => {
        expect(model.trainableParameterCount).toBeGreaterThan(0);
        expect(model.parameterCount).toBeGreaterThanOrEqual(model.trainableParameterCount);
        expect(model.vocabularySize).toBe(architecture.vocabularySize);
        expect(model.contextLength).toBe(architecture.contextLength);
      });
    },
  },
  {
    title: "an adapter starts as its base, trains few numbers, and is part of what is published",
    needs: ["lora", "loss:crossEntropy"],
    run: async (context) => {
      const full = await context.withModel(
        async (model) => ({
          logprobs: await forwardOf(model, mixedRows(model)),
          trainableParameterCount: model.trainableParameterCount,
        }),
        context.has("full-finetune") ? { tuning: { kind: "full" } } : {},
      );
      await context.withModel(
        async (model) => {
          const data = mixedRows(model);
          expectSame(context, await forwardOf(model, data), full.logprobs, null);
          if (context.has("full-finetune"))
            expect(model.trainableParameterCount).toBeLessThan(full.trainableParameterCount);
          await train(context, model);
          const after = await forwardOf(model, data);
          expectChanged(context, after, full.logprobs);
          const version = await model.publish();
          const [scored] = await context.engine.computeLogprobs(version, [withTargets(data[0])]);
          const tolerance = 20 * context.tolerance.absolute;
          scored?.forEach((logprob, index) =>
            expect(Math.abs(logprob - (after[0]?.[index] ?? 0))).toBeLessThan(tolerance),
          );
        },
        { tuning: { kind: "lora", rank: 2, alpha: 4, seed: 3 } },
      );
    },
  },
  {
    title: "swapping the image changes what is sampled from and what is trained on",
    needs: ["images"],
    run: (context) =>
      context.withModel(async (model) => {
        const bright = imageOf(context, 230);
        const dark = imageOf(context, 20);
        const version = await model.publish();
        const scored = await context.engine.computeLogprobs(
          version,
          [bright, dark, bright].map((image) => [image, tokens([1, 2, 3])]),
        );
        expectChanged(context, [scored[1] ?? []], [scored[0] ?? []]);
        expectSame(context, [scored[2] ?? []], [scored[0] ?? []], ["batch-invariant"]);
        const trained = await forwardOf(model, [bright, dark].map(imageRow));
        expectChanged(context, [trained[1] ?? []], [trained[0] ?? []]);
        const tail = (row: Float32Array | undefined): Float32Array => (row ?? new Float32Array()).slice(-2);
        expectSame(context, [tail(trained[0])], [tail(scored[0])], null);
        expect(scored[0]?.slice(0, bright.positionCount - 1)).toEqual(
          new Float32Array(bright.positionCount - 1),
        );
      }),
  },
];

/** The input of a row with the last target behind it: the whole sequence. */
function withTargets(datum: Datum | undefined): Chunk[] {
  return datum === undefined ? [] : [...datum.input, tokens([datum.targets.at(-1) ?? 0])];
}

function imageOf(context: ConformanceContext, brightness: number): ImageChunk {
  const image = {
    kind: "image" as const,
    pixels: Uint8Array.from({ length: 32 * 32 * 3 }, (_unused, index) =>
      Math.min(255, brightness + (index % 7)),
    ),
    widthPixels: 32,
    heightPixels: 32,
    channels: 3 as const,
  };
  return { ...image, positionCount: context.engine.imagePositions(image) };
}

/** An image and the tokens 1, 2, 3: targets of image positions are 0 with weight 0. */
function imageRow(image: ImageChunk): Datum {
  const inner = Array.from<number>({ length: image.positionCount - 1 }).fill(0);
  const targets = Int32Array.from([...inner, 1, 2, 3]);
  const weights = Float32Array.from(targets, (_target, index) => (index < inner.length ? 0 : 1));
  return { input: [image, tokens([1, 2])], targets, weights };
}
