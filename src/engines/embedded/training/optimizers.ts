/**
 * One step of each optimizer over flat arrays, with PyTorch's meanings. Arithmetic is in float64 and results are
 * rounded to float32 when they are stored. Knows neither tensors nor models: a weight is a number with a gradient.
 */
import { optimizerDefaults, type OptimizerKind, type OptimizerParameters } from "../../../contract/index.ts";

/** What an optimizer remembers between steps. */
export interface OptimizerState {
  kind: OptimizerKind;
  /** Steps since this state began; Adam's bias correction counts them. */
  steps: number;
  /** Adam: mean of gradients. RMSProp and SGD: momentum. */
  first: Float32Array;
  /** Adam and RMSProp: mean of squares. */
  second: Float32Array;
}

export function newOptimizerState(kind: OptimizerKind, length: number): OptimizerState {
  return { kind, steps: 0, first: new Float32Array(length), second: new Float32Array(length) };
}

export interface StepArrays {
  readonly weights: Float32Array<ArrayBufferLike>;
  readonly gradients: Float32Array<ArrayBufferLike>;
  readonly state: OptimizerState;
  /** Factor on every gradient, from clipping. */
  readonly scale: number;
}

/** Changes weights and state in place. */
export function applyOptimizer(parameters: OptimizerParameters, arrays: StepArrays): void {
  arrays.state.kind = parameters.kind;
  arrays.state.steps += 1;
  switch (parameters.kind) {
    case "adam":
    case "adamw":
      return stepAdam(parameters, arrays);
    case "rmsprop":
      return stepRmsprop(parameters, arrays);
    case "sgd":
      return stepSgd(parameters, arrays);
  }
}

function stepAdam(
  parameters: OptimizerParameters & { kind: "adam" | "adamw" },
  { weights, gradients, state, scale }: StepArrays,
): void {
  const { beta1, beta2, epsilon, weightDecay } = {
    ...optimizerDefaults[parameters.kind],
    ...defined(parameters),
  };
  const { learningRate } = parameters;
  const { first, second, steps } = state;
  const coupled = parameters.kind === "adam" ? weightDecay : 0;
  const shrink = parameters.kind === "adamw" ? 1 - learningRate * weightDecay : 1;
  const stepSize = learningRate / (1 - beta1 ** steps);
  const correction = Math.sqrt(1 - beta2 ** steps);
  for (let index = 0; index < weights.length; index += 1) {
    const gradient = gradients[index]! * scale + coupled * weights[index]!;
    const mean = beta1 * first[index]! + (1 - beta1) * gradient;
    const square = beta2 * second[index]! + (1 - beta2) * gradient * gradient;
    first[index] = mean;
    second[index] = square;
    weights[index] =
      weights[index]! * shrink - (stepSize * mean) / (Math.sqrt(square) / correction + epsilon);
  }
}

function stepRmsprop(
  parameters: OptimizerParameters & { kind: "rmsprop" },
  { weights, gradients, state, scale }: StepArrays,
): void {
  const { alpha, epsilon, weightDecay, momentum } = { ...optimizerDefaults.rmsprop, ...defined(parameters) };
  const { learningRate } = parameters;
  const { first, second } = state;
  for (let index = 0; index < weights.length; index += 1) {
    const gradient = gradients[index]! * scale + weightDecay * weights[index]!;
    const square = alpha * second[index]! + (1 - alpha) * gradient * gradient;
    second[index] = square;
    let step = gradient / (Math.sqrt(square) + epsilon);
    if (momentum > 0) {
      step += momentum * first[index]!;
      first[index] = step;
    }
    weights[index] = weights[index]! - learningRate * step;
  }
}

function stepSgd(
  parameters: OptimizerParameters & { kind: "sgd" },
  { weights, gradients, state, scale }: StepArrays,
): void {
  const { weightDecay, momentum } = { ...optimizerDefaults.sgd, ...defined(parameters) };
  const { first } = state;
  for (let index = 0; index < weights.length; index += 1) {
    let step = gradients[index]! * scale + weightDecay * weights[index]!;
    if (momentum > 0) {
      step += momentum * first[index]!;
      first[index] = step;
    }
    weights[index] = weights[index]! - parameters.learningRate * step;
  }
}

/** Settings that are present; one that is `undefined` must not hide its default. */
function defined<T extends object>(settings: T): { [Key in keyof T]-?: Exclude<T[Key], undefined> } {
  const entries = Object.entries(settings).filter(([, value]) => value !== undefined);
  return Object.fromEntries(entries) as { [Key in keyof T]-?: Exclude<T[Key], undefined> };
}
