import { expect, test } from "vitest";
import { createRandom } from "../../../base/index.ts";
import {
  clippingFactor,
  initialOptimizerState,
  l2Norm,
  referenceOptimizerStep,
  type OptimizerParameters,
  type ReferenceStep,
} from "../../../contract/index.ts";
import { tolerances, isWithin } from "../../../testing/tolerances.ts";
import { applyOptimizer, newOptimizerState } from "./optimizers.ts";

const cases: readonly OptimizerParameters[] = [
  { kind: "adam", learningRate: 0.01, weightDecay: 0.1, clipGradientNorm: 2 },
  { kind: "adamw", learningRate: 0.01, beta1: 0.8, beta2: 0.95, weightDecay: 0.1 },
  { kind: "rmsprop", learningRate: 0.01 },
  { kind: "rmsprop", learningRate: 0.01, alpha: 0.9, momentum: 0.5, weightDecay: 0.1 },
  { kind: "sgd", learningRate: 0.1, momentum: 0.9, weightDecay: 0.01, clipGradientNorm: 1 },
];

test.each(cases)("$kind follows the float64 reference for five steps", (parameters) => {
  const random = createRandom(5);
  const weights = Float32Array.from({ length: 40 }, () => random.normal());
  const state = newOptimizerState(parameters.kind, weights.length);
  let reference: Pick<ReferenceStep, "weights" | "state"> = {
    weights: Float64Array.from(weights),
    state: initialOptimizerState(weights.length),
  };
  for (let step = 0; step < 5; step += 1) {
    const gradients = Float32Array.from(weights, () => random.normal());
    const scale = clippingFactor(l2Norm(gradients), parameters.clipGradientNorm);
    applyOptimizer(parameters, { weights, gradients, state, scale });
    reference = referenceOptimizerStep(
      parameters,
      reference.weights,
      Float64Array.from(gradients),
      reference.state,
    );
  }
  const differences = Array.from(weights).filter(
    (weight, index) => !isWithin(weight, reference.weights[index]!, tolerances.float32),
  );
  expect(differences).toEqual([]);
  expect(isWithin(weights[0]! + 1e-3, reference.weights[0]!, tolerances.float32)).toBe(false);
});

test("a setting that is undefined means its default", () => {
  const run = (parameters: OptimizerParameters): number => {
    const weights = Float32Array.of(1);
    applyOptimizer(parameters, {
      weights,
      gradients: Float32Array.of(1),
      state: newOptimizerState("adam", 1),
      scale: 1,
    });
    return weights[0]!;
  };
  const withHole: OptimizerParameters = { kind: "adam", learningRate: 0.1 };
  Object.assign(withHole, { beta1: undefined });
  expect(run(withHole)).toBe(run({ kind: "adam", learningRate: 0.1 }));
});
