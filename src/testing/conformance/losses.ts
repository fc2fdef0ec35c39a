/** Conformance: built-in losses against the float64 reference, values and updates. */
import { expect } from "vitest";
import {
  referenceLoss,
  type BuiltInLoss,
  type BuiltInLossKind,
  type CustomLoss,
  type Datum,
  type Model,
} from "../../contract/index.ts";
import { expectClose, expectDifferent } from "../expect-golden.ts";
import { widened } from "../tolerances.ts";
import {
  expectChanged,
  expectSame,
  forwardOf,
  type ConformanceContext,
  type ConformanceTest,
} from "./context.ts";
import { goldenLosses, type GoldenLoss } from "../golden/loss-vectors.ts";
import { lossesUnderTest, mixedRows, rowOf, scaleWeights, withAdvantages } from "./data.ts";

/** A built-in loss by way of the custom-loss path. */
export function asCustomLoss(loss: BuiltInLoss): CustomLoss {
  return { name: loss.kind, evaluate: (outputs, data) => referenceLoss(loss, outputs.logprobs, data) };
}

export const lossTests: readonly ConformanceTest[] = lossesUnderTest.flatMap((loss): ConformanceTest[] => [
  {
    title: `${loss.kind}: the loss is the float64 reference of the returned log-probabilities`,
    needs: [`loss:${loss.kind}`],
    run: (context) => context.withModel((model) => valueAgainstReference(context, model, loss)),
  },
  {
    title: `${loss.kind}: the golden vectors' losses at the golden ratios`,
    needs: [`loss:${loss.kind}`],
    run: (context) => context.withModel((model) => valuesAgainstGolden(context, model, loss.kind)),
  },
  {
    title: `${loss.kind}: the update is that of the same loss as a custom loss`,
    needs: [`loss:${loss.kind}`],
    run: (context) => updateAgainstCustom(context, loss),
  },
]);

async function valueAgainstReference(
  context: ConformanceContext,
  model: Model,
  loss: BuiltInLoss,
): Promise<void> {
  const plain = mixedRows(model);
  const before = await forwardOf(model, plain);
  const data = withAdvantages(plain, before);
  const result = await model.forwardBackward(data, loss);
  expectSame(context, result.logprobs, before);
  const tolerance = widened(context.tolerance, 10, "a sum over some twenty tokens");
  expectClose(result.loss, referenceLoss(loss, result.logprobs, data).value, tolerance, "loss");
  const perturbed = scaleWeights(data, 1.1);
  expectDifferent(
    result.loss,
    referenceLoss(loss, result.logprobs, perturbed).value,
    tolerance,
    "the loss of other weights",
  );
}

/**
 * A model's log-probabilities cannot be chosen, but ratios can: with q = l - (golden l - golden q)
 * every token has the golden ratio. Where the loss also holds l itself, it is linear in it with the
 * known slope, so the golden value moves by slope * (l - golden l).
 */
async function valuesAgainstGolden(
  context: ConformanceContext,
  model: Model,
  kind: BuiltInLossKind,
): Promise<void> {
  const tolerance = widened(context.tolerance, 30, "ratios up to e^3 on differences of float32 numbers");
  for (const golden of goldenLosses().filter((vector) => vector.loss.kind === kind)) {
    const rows = golden.rows.map((row, index) => {
      const ids = Array.from({ length: row.weights.length + 1 }, (_unused, position) => position + index);
      return rowOf(
        ids.map((id) => id % model.vocabularySize),
        Float32Array.from(row.weights),
      );
    });
    const own = await forwardOf(model, rows);
    let expected = golden.value;
    const data = rows.map((datum, index): Datum => {
      const row = golden.rows[index];
      const shift = (position: number): number =>
        (own[index]?.[position] ?? 0) - (row?.logprobs[position] ?? 0);
      row?.weights.forEach((_weight, position) => {
        expected += slopeOf(golden, index, position) * shift(position);
      });
      return {
        ...datum,
        advantages: Float32Array.from(row?.advantages ?? []),
        behaviorLogprobs: Float32Array.from(
          row?.behaviorLogprobs ?? [],
          (behavior, position) => behavior + shift(position),
        ),
      };
    });
    const { loss } = await model.forwardBackward(data, golden.loss);
    expectClose(loss, expected, tolerance, golden.name);
    expectDifferent(1.05 * loss + 0.05, expected, tolerance, "a loss that is off by 5 %");
  }
}

/** How the loss of a token changes with l where its ratio stays as it is. */
function slopeOf(golden: GoldenLoss, row: number, position: number): number {
  const { weights = [], advantages = [] } = golden.rows[row] ?? {};
  switch (golden.loss.kind) {
    case "crossEntropy":
    case "cispo":
      return golden.gradients[row]?.[position] ?? 0;
    case "dro":
      return -(weights[position] ?? 0) * (advantages[position] ?? 0);
    case "importanceSampling":
    case "ppo":
      return 0;
  }
}

/** The step is short: a long one on a steep loss blows up the rounding of two paths. */
async function updateAgainstCustom(context: ConformanceContext, loss: BuiltInLoss): Promise<void> {
  type Accumulate = (model: Model, data: readonly Datum[]) => Promise<{ readonly loss: number }>;
  const norm = await gradientNormOf(context, loss);
  const learningRate = norm === null ? 0.05 : Math.min(0.05, 0.5 / (norm * norm));
  const trained = (accumulate: Accumulate): Promise<readonly Float32Array[]> =>
    context.withModel(async (model) => {
      const plain = mixedRows(model);
      const before = await forwardOf(model, plain);
      await accumulate(model, withAdvantages(plain, before));
      await model.optimStep(context.smoothOptimizer(learningRate));
      const after = await forwardOf(model, plain);
      expectChanged(context, after, before);
      return after;
    });
  const builtIn = await trained((model, data) => model.forwardBackward(data, loss));
  const custom = await trained((model, data) => model.forwardBackwardCustom(data, asCustomLoss(loss)));
  expect(custom.length).toBe(builtIn.length);
  const tolerance = widened(context.tolerance, 10, "two paths round differently before the step");
  expectClose(custom, builtIn, tolerance, "log-probabilities after the step");
}

async function gradientNormOf(context: ConformanceContext, loss: BuiltInLoss): Promise<number | null> {
  return context.withModel(async (model) => {
    const plain = mixedRows(model);
    await model.forwardBackward(withAdvantages(plain, await forwardOf(model, plain)), loss);
    return (await model.optimStep(context.smoothOptimizer(0))).gradientNorm;
  });
}
