import { describe, expect, test } from "vitest";
import { expectClose, expectGolden } from "../../testing/expect-golden.ts";
import { tolerances } from "../../testing/tolerances.ts";
import type { OptimizerParameters } from "../optimizers.ts";
import { clippingFactor, l2Norm } from "./clip-gradient-norm.ts";
import type { OptimizerState } from "./optimizer-state.ts";
import { referenceOptimizerStep } from "./reference-optimizer.ts";

const exact = tolerances.float64;

/** The weights after each gradient in turn, from one start. */
function path(
  parameters: OptimizerParameters,
  start: readonly number[],
  gradients: readonly (readonly number[])[],
): number[][] {
  let weights = Float64Array.from(start);
  let state: OptimizerState | undefined;
  return gradients.map((gradient) => {
    const step = referenceOptimizerStep(parameters, weights, Float64Array.from(gradient), state);
    weights = Float64Array.from(step.weights);
    state = step.state;
    return [...weights];
  });
}

interface Case {
  readonly parameters: OptimizerParameters;
  readonly gradients: readonly number[];
  readonly expected: readonly number[];
}

/** One weight that starts at 1; by hand. */
const cases: Readonly<Record<string, Case>> = {
  "sgd walks against the gradient": {
    parameters: { kind: "sgd", learningRate: 0.1 },
    gradients: [2, -1],
    expected: [0.8, 0.9],
  },
  // b: 2, then 0.5 * 2 - 1 = 0.
  "sgd gathers momentum without dampening": {
    parameters: { kind: "sgd", learningRate: 0.1, momentum: 0.5 },
    gradients: [2, -1],
    expected: [0.8, 0.8],
  },
  // g + 0.5 w: 2.5, then -1 + 0.375 = -0.625.
  "sgd adds weight decay to the gradient": {
    parameters: { kind: "sgd", learningRate: 0.1, weightDecay: 0.5 },
    gradients: [2, -1],
    expected: [0.75, 0.8125],
  },
  // m^ = g, v^ = g^2 at the first step: lr * 2 / (2 + 1). Then m = 0.5, v = 1.5: m^ = 0.5 / 0.75, v^ = 1.5 / 0.75.
  "adam undoes the start of both moments": {
    parameters: { kind: "adam", learningRate: 0.3, beta1: 0.5, beta2: 0.5, epsilon: 1 },
    gradients: [2, -0],
    expected: [0.8, 0.8 - (0.3 * (0.5 / 0.75)) / (Math.sqrt(1 / 0.75) + 1)],
  },
  // g = 0 + 1 * w = 1: lr * 1 / (1 + 1).
  "adam sees weight decay as gradient": {
    parameters: { kind: "adam", learningRate: 0.3, epsilon: 1, weightDecay: 1 },
    gradients: [0],
    expected: [0.85],
  },
  "adamw shrinks the weight itself": {
    parameters: { kind: "adamw", learningRate: 0.3, epsilon: 1, weightDecay: 1 },
    gradients: [0],
    expected: [0.7],
  },
  "adamw decays by 0.01 where nothing is said": {
    parameters: { kind: "adamw", learningRate: 1 },
    gradients: [0],
    expected: [0.99],
  },
  // v = 0.01 * 4: 0.1 * 2 / (0.2 + 0). Then v = 0.99 * 0.04 + 0.01 * 1.
  "rmsprop's first step is ten learning rates long": {
    parameters: { kind: "rmsprop", learningRate: 0.1, epsilon: 0 },
    gradients: [2, -1],
    expected: [0, 0.1 / Math.sqrt(0.99 * 0.04 + 0.01)],
  },
  // b: 1 / 1, then 0.5 * 1 + 0 with alpha 0: the square is forgotten at once, epsilon keeps 0 / 1.
  "rmsprop gathers normalised gradients in its momentum": {
    parameters: { kind: "rmsprop", learningRate: 0.1, alpha: 0, epsilon: 1, momentum: 0.5 },
    gradients: [1, 0],
    expected: [0.95, 0.925],
  },
};

describe("one weight", () => {
  for (const [title, { parameters, gradients, expected }] of Object.entries(cases)) {
    test(title, () => {
      expectGolden({
        input: gradients,
        perturbed: gradients.map((gradient) => gradient + 0.5),
        expected: [...expected],
        tolerance: exact,
        compute: (entries) =>
          path(
            parameters,
            [1],
            entries.map((entry) => [entry]),
          ).map(([weight = 0]) => weight),
      });
    });
  }
});

describe("a flat array", () => {
  test("is clipped by its global norm, with PyTorch's floor", () => {
    const gradient = Float64Array.of(3, 4);
    expect(l2Norm(gradient)).toBe(5);
    expectClose(clippingFactor(5, 1), 1 / 5.000001, exact, "factor");
    expect([clippingFactor(5, 10), clippingFactor(5, 0), clippingFactor(5, undefined)]).toEqual([1, 1, 1]);
    const step = referenceOptimizerStep(
      { kind: "sgd", learningRate: 1, clipGradientNorm: 1 },
      Float64Array.of(0, 0),
      gradient,
    );
    expect(step.gradientNorm).toBe(5);
    expectClose(step.weights, [-3 / 5.000001, -4 / 5.000001], exact, "weights");
  });

  test("leaves its arguments alone", () => {
    const weights = Float64Array.of(1, 2);
    const gradient = Float64Array.of(1, 1);
    const first = referenceOptimizerStep({ kind: "adam", learningRate: 1 }, weights, gradient);
    const kept = first.state.first.slice();
    referenceOptimizerStep({ kind: "adam", learningRate: 1 }, first.weights, gradient, first.state);
    expect([[...weights], [...gradient], first.state.first]).toEqual([[1, 2], [1, 1], kept]);
  });

  test("starts with fresh moments when the kind of optimizer changes", () => {
    const weights = Float64Array.of(1);
    const before = referenceOptimizerStep(
      { kind: "sgd", learningRate: 0, momentum: 0.9 },
      weights,
      Float64Array.of(7),
    );
    const changed = referenceOptimizerStep(
      { kind: "adam", learningRate: 0.1 },
      weights,
      Float64Array.of(1),
      before.state,
    );
    const fresh = referenceOptimizerStep({ kind: "adam", learningRate: 0.1 }, weights, Float64Array.of(1));
    expect(changed).toEqual(fresh);
  });

  test("a weight without gradient and decay stays where it is", () => {
    for (const kind of ["adam", "rmsprop", "sgd"] as const) {
      expect(path({ kind, learningRate: 1 }, [3, 3], [[0, 1]])[0]?.[0]).toBe(3);
    }
  });
});
