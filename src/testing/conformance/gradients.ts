/**
 * Conformance: gradients against finite differences, without reading weights. After a step of plain
 * descent along the gradient g of batch P, the loss of batch Q changes at the rate <g_P, g_Q>. So
 * the rate along the own gradient is the squared norm, and the rates of two batches are symmetric.
 */
import { referenceLoss, type Datum, type Model } from "../../contract/index.ts";
import { expectClose, expectDifferent } from "../expect-golden.ts";
import { tolerances, widened, type Tolerance } from "../tolerances.ts";
import { forwardOf, type ConformanceContext, type ConformanceTest } from "./context.ts";
import { mixedRows, scaleWeights } from "./data.ts";

const crossEntropy = { kind: "crossEntropy" } as const;

/** Central differences of float32 sums: a few in a thousand. */
const tolerance: Tolerance = widened(tolerances.float32, 2000, "central difference of a float32 loss");

export const gradientTests: readonly ConformanceTest[] = [
  {
    title: "the loss changes along a step at the rate of the squared gradient norm",
    needs: ["loss:crossEntropy", "optimizer:sgd"],
    isFine: true,
    run: async (context) => {
      const { norm } = await firstStep(context, 0);
      if (norm === null) return context.skip("the engine reports no gradient norm");
      const learningRate = shortRate(norm);
      const rate = await rateOfChange(context, { along: firstHalf, of: firstHalf, learningRate });
      expectClose(rate, norm * norm, tolerance, "rate of change");
      expectDifferent(1.1 * rate, norm * norm, tolerance, "a rate that is 10 % off");
    },
  },
  {
    title: "two batches change each other's loss at the same rate",
    needs: ["loss:crossEntropy", "optimizer:sgd"],
    isFine: true,
    run: async (context) => {
      const { norm } = await firstStep(context, 0);
      const learningRate = norm === null ? 2e-3 : shortRate(norm);
      const first = await rateOfChange(context, { along: firstHalf, of: secondHalf, learningRate });
      const second = await rateOfChange(context, { along: secondHalf, of: firstHalf, learningRate });
      const own = await rateOfChange(context, { along: firstHalf, of: firstHalf, learningRate });
      const floor = { ...tolerance, absolute: tolerance.relative * Math.abs(own) };
      expectClose(first, second, floor, "rate of change");
      expectDifferent(first, own, floor, "the rate of another batch");
    },
  },
];

/** A step along a gradient of this norm that changes the loss by about 0.05: long enough for rounding. */
function shortRate(norm: number): number {
  return 0.05 / Math.max(norm * norm, 1e-3);
}

type Part = (data: readonly Datum[]) => readonly Datum[];

const firstHalf: Part = (data) => data.slice(0, 2);
const secondHalf: Part = (data) => data.slice(2);

async function firstStep(
  context: ConformanceContext,
  learningRate: number,
): Promise<{ readonly norm: number | null }> {
  return context.withModel(async (model) => {
    await model.forwardBackward(firstHalf(mixedRows(model)), crossEntropy);
    const step = await model.optimStep({ kind: "sgd", learningRate });
    return { norm: step.gradientNorm };
  });
}

/**
 * -d loss(of) / d step along the gradient of `along`, by central differences over this step and half of it: together
 * they cancel the error that grows with the square of the step, which is 5 % with a model of 135 million parameters.
 */
async function rateOfChange(context: ConformanceContext, options: Direction): Promise<number> {
  const whole = await centralDifference(context, options);
  const half = await centralDifference(context, { ...options, learningRate: options.learningRate / 2 });
  return (4 * half - whole) / 3;
}

interface Direction {
  readonly along: Part;
  readonly of: Part;
  readonly learningRate: number;
}

/** By a step forward and one backward. */
async function centralDifference(context: ConformanceContext, options: Direction): Promise<number> {
  const lossAfter = (direction: 1 | -1): Promise<number> =>
    context.withModel(async (model: Model) => {
      const data = mixedRows(model);
      await model.forwardBackward(scaleWeights(options.along(data), direction), crossEntropy);
      await model.optimStep({ kind: "sgd", learningRate: options.learningRate });
      const measured = options.of(data);
      return referenceLoss(crossEntropy, await forwardOf(model, measured), measured).value;
    });
  const forward = await lossAfter(1);
  const backward = await lossAfter(-1);
  return (backward - forward) / (2 * options.learningRate);
}
