/**
 * One optimizer step on a flat array in float64: what engines are compared with, and the optimizer
 * of the fake engine. Pure: it returns new weights and state and leaves its arguments alone.
 */
import { assert } from "../../base/index.ts";
import { optimizerDefaults, type OptimizerParameters } from "../optimizers.ts";
import { adamUpdate } from "./adam.ts";
import { clippingFactor, l2Norm } from "./clip-gradient-norm.ts";
import {
  initialOptimizerState,
  type OptimizerMoments,
  type OptimizerState,
  type OptimizerUpdate,
} from "./optimizer-state.ts";
import { rmspropUpdate } from "./rmsprop.ts";
import { sgdUpdate } from "./sgd.ts";

export interface ReferenceStep {
  readonly weights: Float64Array;
  readonly state: OptimizerState;
  /** L2 norm before clipping. */
  readonly gradientNorm: number;
}

/**
 * Clips, then updates every weight. Moments of another kind of optimizer mean nothing to this one,
 * so a change of kind starts from fresh moments.
 *
 * @shape weights, gradient: `[N]`
 */
export function referenceOptimizerStep(
  parameters: OptimizerParameters,
  weights: Float64Array,
  gradient: Float64Array,
  state: OptimizerState = initialOptimizerState(weights.length),
): ReferenceStep {
  assert(gradient.length === weights.length, `expected ${weights.length} gradients, got ${gradient.length}`);
  const isContinued = state.kind === null || state.kind === parameters.kind;
  const before = isContinued ? state : initialOptimizerState(weights.length);
  const stepCount = before.stepCount + 1;
  const gradientNorm = l2Norm(gradient);
  const factor = clippingFactor(gradientNorm, parameters.clipGradientNorm);
  const update = updateOf(parameters, stepCount);
  const next = { weights: weights.slice(), first: before.first.slice(), second: before.second.slice() };
  for (let index = 0; index < weights.length; index++) {
    const moments = { first: before.first[index] ?? 0, second: before.second[index] ?? 0 };
    const updated = update(weights[index] ?? 0, factor * (gradient[index] ?? 0), moments);
    next.weights[index] = updated.weight;
    next.first[index] = updated.first;
    next.second[index] = updated.second;
  }
  return {
    weights: next.weights,
    state: { kind: parameters.kind, stepCount, first: next.first, second: next.second },
    gradientNorm,
  };
}

type Update = (weight: number, gradient: number, moments: OptimizerMoments) => OptimizerUpdate;

function updateOf(parameters: OptimizerParameters, stepCount: number): Update {
  switch (parameters.kind) {
    case "adam":
    case "adamw": {
      const settings = { ...optimizerDefaults[parameters.kind], ...parameters };
      const options = { settings, isDecoupled: parameters.kind === "adamw", stepCount };
      return (weight, gradient, moments) => adamUpdate(weight, gradient, moments, options);
    }
    case "rmsprop": {
      const settings = { ...optimizerDefaults.rmsprop, ...parameters };
      return (weight, gradient, moments) => rmspropUpdate(weight, gradient, moments, settings);
    }
    case "sgd": {
      const settings = { ...optimizerDefaults.sgd, ...parameters };
      return (weight, gradient, moments) => sgdUpdate(weight, gradient, moments, settings);
    }
  }
}
