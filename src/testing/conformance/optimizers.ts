/**
 * Conformance: optimizers mean what PyTorch means. Weights cannot be read, but steps without gradient
 * (a batch of weight 0) can follow a step with gradient g, and then every weight has moved by a known
 * multiple of what the first step alone moves it. The multiple comes from the float64 reference on
 * one weight.
 */
import { expect } from "vitest";
import {
  referenceOptimizerStep,
  type Datum,
  type Model,
  type OptimizerKind,
  type OptimizerParameters,
  type OptimizerState,
} from "../../contract/index.ts";
import { expectClose } from "../expect-golden.ts";
import { widened } from "../tolerances.ts";
import {
  expectChanged,
  expectSame,
  forwardOf,
  type ConformanceContext,
  type ConformanceTest,
} from "./context.ts";
import { mixedRows, scaleWeights } from "./data.ts";

const crossEntropy = { kind: "crossEntropy" } as const;

/** Small enough that a move of every weight by it keeps the model near its start. */
const learningRate = 2e-3;

const movingCases: readonly { readonly title: string; readonly parameters: OptimizerParameters }[] = [
  { title: "adam: moments carry over and their start is undone", parameters: { kind: "adam", learningRate } },
  {
    title: "adam: other betas are heard",
    parameters: { kind: "adam", learningRate, beta1: 0.5, beta2: 0.9 },
  },
  {
    title: "adamw: moments carry over and their start is undone",
    parameters: { kind: "adamw", learningRate, weightDecay: 0 },
  },
  {
    title: "rmsprop: momentum carries over, squares are smoothed by alpha",
    parameters: { kind: "rmsprop", learningRate: learningRate / 10, momentum: 0.5 },
  },
  { title: "sgd: momentum carries over", parameters: { kind: "sgd", learningRate, momentum: 0.9 } },
];

async function lossesOfTwelveSteps(
  context: ConformanceContext,
  kind: OptimizerKind,
  learningRate: number,
): Promise<{ first: number; last: number }> {
  return context.withModel(async (model) => {
    const data = mixedRows(model);
    const losses: number[] = [];
    let rate = 0;
    for (let step = 0; step < 12; step++) {
      losses.push((await model.forwardBackward(data, crossEntropy)).loss);
      const { gradientNorm } = await model.optimStep({ kind, learningRate: rate });
      rate = learningRate;
      // Plain descent goes as far as the gradient is long: too far for a steep model.
      if (kind === "sgd" && gradientNorm !== null)
        rate = Math.min(learningRate, 0.5 / Math.max(gradientNorm ** 2, 1e-3));
    }
    return { first: losses[0] ?? Number.NaN, last: losses.at(-1) ?? Number.NaN };
  });
}

export const optimizerTests: readonly ConformanceTest[] = [
  ...movingCases.map(({ title, parameters }): ConformanceTest => ({
    title,
    needs: ["loss:crossEntropy", `optimizer:${parameters.kind}`],
    isFine: true,
    run: (context) => movesAsReference(context, parameters),
  })),
  ...(["adam", "adamw", "rmsprop", "sgd"] as const).map((kind): ConformanceTest => ({
    title: `${kind}: twelve steps on one batch lower its loss`,
    needs: ["loss:crossEntropy", `optimizer:${kind}`],
    run: async (context) => {
      // Large models go astray at a rate that small ones need.
      const learningRates = kind === "rmsprop" ? [1e-3, 1e-4, 1e-5] : [1e-2, 1e-3, 1e-4];
      const ratios: number[] = [];
      for (const learningRate of learningRates) {
        const { first, last } = await lossesOfTwelveSteps(context, kind, learningRate);
        ratios.push(last / first);
        if (last < 0.98 * first) return;
      }
      expect.fail(`expected a lower loss after twelve steps, got ${ratios.join(", ")} of the first`);
    },
  })),
  {
    title: "rmsprop: the first step is adam's at ten times the learning rate",
    needs: ["loss:crossEntropy", "optimizer:rmsprop", "optimizer:adam"],
    isFine: true,
    run: async (context) => {
      const rmsprop = await afterSteps(context, [{ kind: "rmsprop", learningRate: 1e-4 }]);
      const adam = await afterSteps(context, [{ kind: "adam", learningRate: 1e-3 }]);
      expectMoved(context, rmsprop, adam);
    },
  },
  {
    title: "adamw: decay shrinks the weights directly, as plain descent does without gradients",
    needs: ["loss:crossEntropy", "optimizer:adamw", "optimizer:sgd"],
    isFine: true,
    run: async (context) => {
      const adamw = await afterSteps(context, [{ kind: "adamw", learningRate: 0.1, weightDecay: 0.5 }], 0);
      const sgd = await afterSteps(context, [{ kind: "sgd", learningRate: 0.1, weightDecay: 0.5 }], 0);
      expectMoved(context, adamw, sgd);
    },
  },
  {
    title: "adam: decay is part of the gradient",
    needs: ["loss:crossEntropy", "optimizer:adam"],
    isFine: true,
    run: async (context) => {
      const strong = await afterSteps(context, [{ kind: "adam", learningRate: 1e-3, weightDecay: 0.5 }], 0);
      const weak = await afterSteps(context, [{ kind: "adam", learningRate: 1e-3, weightDecay: 0.05 }], 0);
      // Without other gradients Adam sees the sign of the decay alone, so its size does not matter.
      const tolerance = widened(context.tolerance, 200, "weights near zero, where epsilon shows");
      expectClose(weak.after, strong.after, tolerance, "log-probabilities");
      expectChanged(context, strong.after, strong.before);
    },
  },
  {
    title: "clipping scales the gradient down to the norm and reports the norm before",
    needs: ["loss:crossEntropy", "optimizer:sgd"],
    isFine: true,
    run: async (context) => {
      const plain = await afterSteps(context, [{ kind: "sgd", learningRate: 0.02 }]);
      const [norm] = plain.norms;
      if (norm === null || norm === undefined) return context.skip("the engine reports no gradient norm");
      const clipGradientNorm = norm / 4;
      const clipped = await afterSteps(context, [{ kind: "sgd", learningRate: 0.08, clipGradientNorm }]);
      expectMoved(context, clipped, plain);
      expectClose(
        clipped.norms[0] ?? 0,
        norm,
        widened(context.tolerance, 10, "a root of a long sum"),
        "norm",
      );
      const unclipped = await afterSteps(context, [
        { kind: "sgd", learningRate: 0.02, clipGradientNorm: norm * 2 },
      ]);
      expectMoved(context, unclipped, plain);
    },
  },
];

interface Moved {
  readonly before: readonly Float32Array[];
  readonly after: readonly Float32Array[];
  readonly norms: readonly (number | null)[];
}

async function movesAsReference(context: ConformanceContext, parameters: OptimizerParameters): Promise<void> {
  const steps = 3;
  const single = displacement(parameters, 1);
  const factor = displacement(parameters, steps) / single;
  expect(Math.abs(factor - 1)).toBeGreaterThan(0.1);
  const several = await afterSteps(
    context,
    Array.from({ length: steps }, () => parameters),
  );
  const longer = { ...parameters, learningRate: parameters.learningRate * factor };
  const one = await afterSteps(context, [longer]);
  expectMoved(context, several, one);
  const short = await afterSteps(context, [parameters]);
  expectChanged(context, short.after, one.after);
}

/** How far the reference moves one weight by a step with gradient 1 and then steps without. */
function displacement(parameters: OptimizerParameters, stepCount: number): number {
  let weights: Float64Array = Float64Array.of(0);
  let state: OptimizerState | undefined;
  for (let step = 0; step < stepCount; step++) {
    const moved = referenceOptimizerStep(parameters, weights, Float64Array.of(step === 0 ? 1 : 0), state);
    weights = moved.weights;
    state = moved.state;
  }
  return weights[0] ?? 0;
}

/** A fresh model after steps of which the first alone has a gradient, `firstScale` times the batch's. */
function afterSteps(
  context: ConformanceContext,
  steps: readonly OptimizerParameters[],
  firstScale = 1,
): Promise<Moved> {
  return context.withModel(async (model: Model) => {
    const data = mixedRows(model);
    if (firstScale === 0) await leaveZeros(context, model, data);
    const before = await forwardOf(model, data);
    const norms: (number | null)[] = [];
    for (const [index, parameters] of steps.entries()) {
      await model.forwardBackward(scaleWeights(data, index === 0 ? firstScale : 0), crossEntropy);
      norms.push((await model.optimStep(parameters)).gradientNorm);
    }
    return { before, after: await forwardOf(model, data), norms };
  });
}

/** A new adapter changes nothing whatever its other half is: after one short step decay has an effect on it. */
async function leaveZeros(context: ConformanceContext, model: Model, data: readonly Datum[]): Promise<void> {
  if (context.modelUnderTest.tuning?.kind !== "lora") return;
  if (!context.has("optimizer:sgd")) return context.skip("needs a step of plain descent before the decay");
  await model.forwardBackward(data, crossEntropy);
  await model.optimStep({ kind: "sgd", learningRate: 0.1, clipGradientNorm: 1 });
}

/** Both ways lead to the same weights, and these are not where they started. */
function expectMoved(context: ConformanceContext, actual: Moved, expected: Moved): void {
  const tolerance = widened(context.tolerance, 25, "steps of equal length taken in different ways");
  expectClose(actual.after, expected.after, tolerance, "log-probabilities after the step");
  expectSame(context, actual.before, expected.before);
  expectChanged(context, expected.after, expected.before);
}
