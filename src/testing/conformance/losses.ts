/** Conformance: built-in losses against the float64 reference, values and updates. */
import { expect } from "vitest";
import {
  referenceLoss,
  type BuiltInLoss,
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
import { lossesUnderTest, mixedRows, scaleWeights, withAdvantages } from "./data.ts";

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

async function updateAgainstCustom(context: ConformanceContext, loss: BuiltInLoss): Promise<void> {
  type Accumulate = (model: Model, data: readonly Datum[]) => Promise<{ readonly loss: number }>;
  const trained = (accumulate: Accumulate): Promise<readonly Float32Array[]> =>
    context.withModel(async (model) => {
      const plain = mixedRows(model);
      const before = await forwardOf(model, plain);
      await accumulate(model, withAdvantages(plain, before));
      await model.optimStep(context.smoothOptimizer(0.05));
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
