/** Conformance: what cannot be done is refused with the right code before anything happens. */
import { expect } from "vitest";
import {
  builtInLossKinds,
  capabilityMeanings,
  optimizerKinds,
  tokens,
  type BuiltInLoss,
  type BuiltInLossKind,
  type Capability,
  type Datum,
  type Model,
  type OptimizerParameters,
  type SampleRequest,
} from "../../contract/index.ts";
import { expectCode } from "../expect-code.ts";
import { expectSame, forwardOf, type ConformanceContext, type ConformanceTest } from "./context.ts";
import { lossesUnderTest, mixedRows, rowOf, withAdvantages } from "./data.ts";

const crossEntropy = { kind: "crossEntropy" } as const;

/** Where a server does not say how long a context is, models claim more than can be tried. */
const longestTried = 2 ** 20;

export const refusalTests: readonly ConformanceTest[] = [
  {
    title: "rows that cannot be trained on are refused with the number of the row",
    needs: ["loss:crossEntropy"],
    run: (context) =>
      context.withModel(async (model) => {
        const good = mixedRows(model);
        const before = await forwardOf(model, good);
        for (const [what, bad] of Object.entries(badRows(model))) {
          const error = await expectCode(
            model.forwardBackward([good[0] ?? bad, bad], crossEntropy),
            "invalid-input",
          );
          expect(error.message, what).toContain("row 1");
          await expectCode(model.forward([bad]), "invalid-input");
        }
        await expectCode(model.forwardBackward([], crossEntropy), "invalid-input");
        await expectCode(model.optimStep(context.smoothOptimizer(0.1)), "invalid-input");
        expectSame(context, await forwardOf(model, good), before);
      }),
  },
  ...lossesUnderTest
    .filter((loss) => loss.kind !== "crossEntropy")
    .map((loss): ConformanceTest => ({
      title: `${loss.kind}: rows without advantages or behaviour log-probabilities are refused`,
      needs: [`loss:${loss.kind}`],
      run: (context) =>
        context.withModel(async (model) => {
          const [row] = withAdvantages(mixedRows(model, 1), [new Float32Array(8)]);
          if (row === undefined) throw new Error("expected a row");
          const { advantages: _advantages, ...withoutAdvantages } = row;
          const { behaviorLogprobs: _behavior, ...withoutBehavior } = row;
          await expectCode(model.forwardBackward([withoutAdvantages], loss), "invalid-input");
          await expectCode(model.forwardBackward([withoutBehavior], loss), "invalid-input");
        }),
    })),
  {
    title: "sampling requests without meaning are refused",
    run: (context) =>
      context.withModel(async (model) => {
        const version = await model.publish();
        const prompt = [tokens([1, 2])];
        const good = { maxTokens: 2, seed: 0 };
        const tooLong = beyondContext(model, 1);
        const requests: Readonly<Record<string, SampleRequest>> = {
          "no tokens": { prompt, parameters: { ...good, maxTokens: 0 } },
          "negative temperature": { prompt, parameters: { ...good, temperature: -1 } },
          "no nucleus": { prompt, parameters: { ...good, topP: 0 } },
          "more than everything": { prompt, parameters: { ...good, topP: 1.5 } },
          "negative top-k": { prompt, parameters: { ...good, topK: -1 } },
          "seed that is no integer": { prompt, parameters: { ...good, seed: 0.5 } },
          "no siblings": { prompt, parameters: good, count: 0 },
          "empty prompt": { prompt: [], parameters: good },
          ...(tooLong === null
            ? {}
            : { "prompt longer than the context": { prompt: [tokens(tooLong)], parameters: good } }),
          "id beyond the vocabulary": { prompt: [tokens([model.vocabularySize])], parameters: good },
          "stop id beyond the vocabulary": {
            prompt,
            parameters: { ...good, stopTokenIds: [model.vocabularySize] },
          },
        };
        for (const request of Object.values(requests))
          await expectCode(context.engine.sample(version, request), "invalid-input");
        if (tooLong === null) return;
        await expectCode(context.engine.computeLogprobs(version, [[tokens(tooLong)]]), "invalid-input");
      }),
  },
  {
    title: "optimizer settings without meaning are refused",
    needs: ["loss:crossEntropy"],
    run: (context) =>
      context.withModel(async (model) => {
        const data = mixedRows(model);
        const before = await forwardOf(model, data);
        await model.forwardBackward(data, crossEntropy);
        const good = context.smoothOptimizer(0.1);
        const changes: readonly Partial<OptimizerParameters>[] = [
          { learningRate: Number.NaN },
          { learningRate: -1 },
          { learningRate: Number.POSITIVE_INFINITY },
          { clipGradientNorm: -1 },
        ];
        for (const change of changes) {
          await expectCode(model.optimStep({ ...good, ...change }), "invalid-input");
        }
        expectSame(context, await forwardOf(model, data), before);
      }),
  },
  {
    title: "architectures without meaning are refused",
    run: async (context) => {
      const from = context.architecture();
      for (const change of [{ vocabularySize: 0 }, { contextLength: -4 }, { width: 2.5 }]) {
        const architecture = { ...from.architecture, ...change };
        await expectCode(context.createModel({ from: { ...from, architecture } }), "invalid-input");
      }
      await expectCode(context.createModel({ from: { ...from, seed: 0.5 } }), "invalid-input");
    },
  },
  {
    title: "what the engine lacks is refused as capability-missing",
    run: async (context) => {
      const capabilities = Object.keys(capabilityMeanings) as Capability[];
      const missing = capabilities.filter((capability) => !context.has(capability));
      if (missing.length === 0) return context.skip("the engine lacks nothing");
      for (const capability of missing) await expectMissing(context, capability);
    },
  },
];

function badRows(model: Model): Readonly<Record<string, Datum>> {
  const good = rowOf([1, 2, 3], Float32Array.of(1, 1));
  const tooLong = beyondContext(model, 2);
  return {
    "weights of another length": { ...good, weights: Float32Array.of(1) },
    "targets of another length": { ...good, targets: Int32Array.of(1, 2, 3) },
    "advantages of another length": { ...good, advantages: Float32Array.of(1) },
    "constant of another length": { ...good, constants: { reference: Float32Array.of(1) } },
    "target beyond the vocabulary": { ...good, targets: Int32Array.of(2, model.vocabularySize) },
    "negative target": { ...good, targets: Int32Array.of(-1, 2) },
    "input id beyond the vocabulary": { ...good, input: [tokens([1, model.vocabularySize])] },
    "weight that is no number": { ...good, weights: Float32Array.of(1, Number.NaN) },
    "endless weight": { ...good, weights: Float32Array.of(Number.POSITIVE_INFINITY, 1) },
    "constant that is no number": { ...good, constants: { reference: Number.NaN } },
    "empty input": { input: [], targets: new Int32Array(), weights: new Float32Array() },
    ...(tooLong === null
      ? {}
      : { "longer than the context": rowOf(tooLong, new Float32Array(tooLong.length - 1).fill(1)) }),
  };
}

/** So many ids more than a context holds. */
function beyondContext(model: Model, count: number): number[] | null {
  if (model.contextLength > longestTried) return null;
  return Array.from<number>({ length: model.contextLength + count }).fill(1);
}

/** Asks for what a capability stands for, where asking is a call. */
async function expectMissing(context: ConformanceContext, capability: Capability): Promise<void> {
  const code = "capability-missing";
  const loss = lossNamed(capability);
  const optimizer = optimizerKinds.find((kind) => capability === `optimizer:${kind}`);
  const refuse = (call: (model: Model) => Promise<unknown>): Promise<unknown> =>
    context.withModel((model) => expectCode(call(model), code));
  if (loss !== null) {
    await refuse(async (model) =>
      model.forwardBackward(withAdvantages(mixedRows(model, 1), [new Float32Array(8)]), loss),
    );
  } else if (optimizer !== undefined) {
    await refuse((model) => model.optimStep({ kind: optimizer, learningRate: 0.1 }));
  } else if (capability === "discard-gradients") {
    await refuse((model) => model.discardGradients());
  } else if (capability === "lora") {
    await expectCode(context.createModel({ tuning: { kind: "lora", rank: 2, alpha: 2, seed: 1 } }), code);
  } else if (capability === "full-finetune") {
    await expectCode(context.createModel({ tuning: { kind: "full" } }), code);
  } else if (capability === "values") {
    await expectCode(context.createModel({ head: "value" }), code);
  } else if (capability === "hub-models") {
    const from = { kind: "base", nameOrFolder: "nobody/a-model-that-is-not-here" } as const;
    await expectCode(context.createModel({ from }), code);
  } else if (capability === "several-models") {
    await refuse(() => context.createModel());
  } else if (capability === "embeddings") {
    await refuse(async (model) => context.engine.embed(await model.publish(), [[tokens([1])]]));
  } else if (capability === "prompt-logprobs") {
    await refuse(async (model) =>
      context.engine.sample(await model.publish(), {
        prompt: [tokens([1, 2])],
        parameters: { maxTokens: 1, seed: 0 },
        includePromptLogprobs: true,
      }),
    );
  } else if (capability === "images") {
    const image = {
      kind: "image",
      pixels: new Uint8Array(3),
      widthPixels: 1,
      heightPixels: 1,
      channels: 3,
    } as const;
    expect(() => context.engine.imagePositions(image)).toThrow(/lacks images/);
    const chunk = { ...image, positionCount: 1 };
    await refuse(async (model) =>
      context.engine.sample(await model.publish(), {
        prompt: [chunk, tokens([1])],
        parameters: { maxTokens: 1, seed: 0 },
      }),
    );
    await refuse((model) =>
      model.forward([
        { input: [chunk, tokens([1])], targets: Int32Array.of(1, 2), weights: Float32Array.of(0, 1) },
      ]),
    );
  }
}

function lossNamed(capability: Capability): BuiltInLoss | null {
  const kind = builtInLossKinds.find((name: BuiltInLossKind) => capability === `loss:${name}`);
  return lossesUnderTest.find((loss) => loss.kind === kind) ?? null;
}
