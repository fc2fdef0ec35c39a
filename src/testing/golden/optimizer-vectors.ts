/** Golden vectors of the optimizers: the path of five weights under given gradients. */
import { createRandom, type JsonObject } from "../../base/index.ts";
import {
  referenceOptimizerStep,
  type OptimizerParameters,
  type OptimizerState,
} from "../../contract/index.ts";
import { plain, type GoldenFile, type GoldenVector } from "./vector-file.ts";

const settings: readonly OptimizerParameters[] = [
  { kind: "adam", learningRate: 0.1 },
  { kind: "adam", learningRate: 0.1, beta1: 0.5, beta2: 0.9, epsilon: 1e-3, weightDecay: 0.1 },
  { kind: "adamw", learningRate: 0.1 },
  { kind: "adamw", learningRate: 0.1, weightDecay: 0.3, clipGradientNorm: 0.5 },
  { kind: "rmsprop", learningRate: 0.01 },
  { kind: "rmsprop", learningRate: 0.01, alpha: 0.9, epsilon: 1e-4, weightDecay: 0.1, momentum: 0.9 },
  { kind: "sgd", learningRate: 0.1 },
  { kind: "sgd", learningRate: 0.1, weightDecay: 0.2, momentum: 0.9, clipGradientNorm: 1 },
];

const stepCount = 4;

export function optimizerVectors(): GoldenFile {
  const random = createRandom(2024).split("golden-optimizers");
  const weights = Float64Array.from({ length: 5 }, () => random.normal());
  const gradients = Array.from({ length: stepCount }, (_unused, step) =>
    // The last gradient of one weight is zero, so that moments are seen to carry on.
    Float64Array.from({ length: 5 }, (_none, index) =>
      step === stepCount - 1 && index === 0 ? 0 : random.normal(),
    ),
  );
  return {
    description:
      "Weights after each step, and the gradient norm before clipping, with PyTorch's meanings: clipping by norm / (norm + 1e-6), adam adds weightDecay * weight to the gradient, adamw shrinks the weight, rmsprop is uncentred. Settings that are left out take the defaults of the contract.",
    tolerance: "float64",
    cases: settings.map((parameters) => vectorOf(parameters, weights, gradients)),
  };
}

function vectorOf(
  parameters: OptimizerParameters,
  start: Float64Array,
  gradients: readonly Float64Array[],
): GoldenVector {
  let weights: Float64Array = start;
  let state: OptimizerState | undefined;
  const steps = gradients.map((gradient): JsonObject => {
    const step = referenceOptimizerStep(parameters, weights, gradient, state);
    ({ weights, state } = step);
    return { weights: plain(weights), gradientNorm: step.gradientNorm };
  });
  const inputs: JsonObject = {
    parameters: { ...parameters },
    weights: plain(start),
    gradients: gradients.map(plain),
  };
  return { name: JSON.stringify(parameters), inputs, outputs: { steps } };
}
