/**
 * The training pass: log-probabilities of the targets first, then, for any gradient with respect to them, the
 * gradient of all weights added to what has accumulated.
 *
 * The split after the log-probabilities is why this file knows no loss: every loss is a function of them, computed
 * outside in float64.
 */
import type { JaxArray, JaxModule, TensorSpec } from "../executor/capture.ts";
import {
  feedForward,
  normalize,
  project,
  readOut,
  rotate,
  type LayerContext,
  type Weights,
} from "./layers.ts";
import type { Leaf, ModelShape } from "./layout.ts";
import { masked } from "./tables.ts";

export interface BatchShape {
  /** Rows, padding rows included. */
  readonly rows: number;
  /** Positions per row, padding included. */
  readonly length: number;
}

/** Per-token outputs, in this order; log-probabilities always, values wherever there is a head for them. */
export type PassOutput = "logprobs" | "entropies" | "values";

export function outputsOf(shape: ModelShape, withEntropies: boolean): readonly PassOutput[] {
  return [
    "logprobs",
    ...(withEntropies ? (["entropies"] as const) : []),
    ...(shape.hasValueHead ? (["values"] as const) : []),
  ];
}

/** Inputs: weights, accumulated gradients, cosine, sine, bias, tokens, targets, then a gradient for each output. */
interface PositionTensors {
  readonly cosine: JaxArray;
  readonly sine: JaxArray;
  readonly bias: JaxArray;
}

export function trainingSpecs(
  shape: ModelShape,
  leaves: readonly Leaf[],
  batch: BatchShape,
  outputs: readonly PassOutput[],
): TensorSpec[] {
  const weights = leaves.map((leaf): TensorSpec => ({ shape: leaf.shape, type: "float32" }));
  const half = shape.width / shape.headCount / 2;
  const count = batch.rows * batch.length;
  return [
    ...weights,
    ...weights,
    { shape: [1, batch.length, 1, 2, half], type: "float32" },
    { shape: [1, batch.length, 1, 2, half], type: "float32" },
    { shape: [1, shape.headCount, batch.length, batch.length], type: "float32" },
    { shape: [count], type: "int32" },
    { shape: [count], type: "int32" },
    ...outputs.map((): TensorSpec => ({ shape: [count], type: "float32" })),
  ];
}

/** Outputs: the per-token outputs `[rows * length]`, then the new accumulated gradient of every leaf. */
export function buildTraining(
  shape: ModelShape,
  leaves: readonly Leaf[],
  batch: BatchShape,
  outputs: readonly PassOutput[],
): (jax: JaxModule, inputs: JaxArray[]) => JaxArray[] {
  return (jax, inputs) => {
    const weights = inputs.slice(0, leaves.length);
    const accumulated = inputs.slice(leaves.length, 2 * leaves.length);
    const [cosine, sine, bias, tokens, targets, ...outer] = inputs.slice(2 * leaves.length) as Five;
    const position = { cosine, sine, bias };
    const embedded = jax.numpy.take(weights[0]!.ref, tokens.ref, 0);
    const compute = (list: JaxArray[], x: JaxArray): JaxArray[] => {
      const context: LayerContext = { jax, shape, weights: namedWeights(leaves, list) };
      const hidden = normalize(context, "finalNorm", runLayers(context, batch, position, x));
      const named = tokenOutputs(context, hidden, targets.ref);
      return outputs.map((name) => named[name]());
    };
    const [computed, pullBack] = jax.vjp(compute, [weights, embedded]);
    const [gradients, embeddedGradient] = pullBack(outer) as [JaxArray[], JaxArray];
    const scattered = scatterToRows(jax, shape, tokens, embeddedGradient);
    const sums = gradients.map((gradient, index) => {
      const whole = index === 0 ? gradient.add(scattered) : gradient;
      return whole.add(accumulated[index]!);
    });
    return [...computed, ...sums];
  };
}

type Five = [JaxArray, JaxArray, JaxArray, JaxArray, JaxArray, ...JaxArray[]];

function namedWeights(leaves: readonly Leaf[], list: readonly JaxArray[]): Weights {
  const byName = new Map(leaves.map((leaf, index) => [leaf.name, list[index]!]));
  return (name) => byName.get(name)!.ref;
}

/** The gradient of a gather is a sum over equal ids: a product with a one-hot matrix, which has a fast kernel. */
function scatterToRows(jax: JaxModule, shape: ModelShape, tokens: JaxArray, gradient: JaxArray): JaxArray {
  const rows = shape.paddedVocabularySize;
  const ids = jax.numpy.arange(rows).reshape([rows, 1]);
  const oneHot = tokens.reshape([1, gradient.shape[0]!]).equal(ids).astype(jax.numpy.float32);
  return jax.numpy.matmul(oneHot, gradient);
}

/** @shape x: `[rows * length, D]` */
function runLayers(
  context: LayerContext,
  batch: BatchShape,
  position: PositionTensors,
  embedded: JaxArray,
): JaxArray {
  const { shape, weights } = context;
  const { rows, length } = batch;
  let x = embedded;
  if (shape.positions === "learned") {
    const table = weights("positions").slice([0, length]).reshape([1, length, shape.width]);
    x = x
      .reshape([rows, length, shape.width])
      .add(table)
      .reshape([rows * length, shape.width]);
  }
  for (let layer = 0; layer < shape.layerCount; layer += 1) {
    const path = `layers.${layer}`;
    x = x.ref.add(attend(context, path, batch, position, normalize(context, `${path}.attentionNorm`, x)));
    x = x.ref.add(feedForward(context, path, normalize(context, `${path}.feedForwardNorm`, x)));
  }
  return x;
}

/** Causal attention over whole rows. The bias holds minus infinity above the diagonal. */
function attend(
  context: LayerContext,
  path: string,
  { rows, length }: BatchShape,
  position: PositionTensors,
  x: JaxArray,
): JaxArray {
  const { jax, shape } = context;
  const { numpy, lax } = jax;
  const heads = shape.headCount;
  const size = shape.width / heads;
  const split = (y: JaxArray): JaxArray => y.reshape([rows, length, heads, size]);
  const turn = (y: JaxArray): JaxArray =>
    shape.positions === "rotary" ? rotate(jax, y, position.cosine.ref, position.sine.ref) : y;
  const query = turn(split(project(context, `${path}.query`, x.ref))).mul(1 / Math.sqrt(size));
  const key = turn(split(project(context, `${path}.key`, x.ref)));
  const value = split(project(context, `${path}.value`, x));
  const scores = numpy
    .vecdot(
      query.transpose([0, 2, 1, 3]).reshape([rows, heads, length, 1, size]),
      key.transpose([0, 2, 1, 3]).reshape([rows, heads, 1, length, size]),
    )
    .add(position.bias.ref);
  const largest = lax.stopGradient(numpy.max(scores.ref, -1, { keepdims: true }));
  const exponentials = numpy.exp(scores.sub(largest));
  const total = numpy.reciprocal(numpy.sum(exponentials.ref, -1, { keepdims: true }));
  const attention = exponentials.mul(total);
  const mixed = numpy.vecdot(
    attention.transpose([0, 2, 1, 3]).reshape([rows, length, heads, 1, length]),
    value.transpose([0, 2, 3, 1]).reshape([rows, 1, heads, size, length]),
  );
  return project(context, `${path}.output`, mixed.reshape([rows * length, shape.width]));
}

/**
 * Log-softmax at the target, entropy of the distribution, and the value head; each made when it is asked for.
 *
 * @shape hidden: `[N, D]`, after the final norm
 */
function tokenOutputs(
  context: LayerContext,
  hidden: JaxArray,
  targets: JaxArray,
): Record<PassOutput, () => JaxArray> {
  const { jax, shape, weights } = context;
  const { numpy, lax } = jax;
  const size = shape.paddedVocabularySize;
  const ids = (): JaxArray => numpy.arange(size).reshape([1, size]);
  let logits = readOut(context, hidden.ref);
  if (size !== shape.vocabularySize) logits = numpy.where(ids().less(shape.vocabularySize), logits, masked);
  const shifted = logits.ref.sub(lax.stopGradient(numpy.max(logits, -1, { keepdims: true })));
  const exponentials = numpy.exp(shifted.ref);
  const total = numpy.sum(exponentials.ref, -1);
  const logTotal = numpy.log(total.ref);
  return {
    logprobs: () => {
      const isTarget = targets.reshape([targets.shape[0]!, 1]).equal(ids());
      return numpy.sum(numpy.where(isTarget, shifted.ref, 0), -1).sub(logTotal.ref);
    },
    // -sum p log p = log Z - sum e^s s / Z, with s the shifted logits.
    entropies: () =>
      logTotal.ref.sub(numpy.sum(exponentials.ref.mul(shifted.ref), -1).mul(numpy.reciprocal(total.ref))),
    values: () => numpy.vecdot(hidden.ref, weights("valueHead")),
  };
}

/** The last hidden layer alone. Inputs: weights, cosine, sine, bias, tokens. Output: `[rows * length, D]`. */
export function buildHidden(
  shape: ModelShape,
  leaves: readonly Leaf[],
  batch: BatchShape,
): (jax: JaxModule, inputs: JaxArray[]) => JaxArray[] {
  return (jax, inputs) => {
    const context: LayerContext = {
      jax,
      shape,
      weights: namedWeights(leaves, inputs.slice(0, leaves.length)),
    };
    const [cosine, sine, bias, tokens] = inputs.slice(leaves.length) as [
      JaxArray,
      JaxArray,
      JaxArray,
      JaxArray,
    ];
    const embedded = jax.numpy.take(context.weights("embedding"), tokens, 0);
    return [normalize(context, "finalNorm", runLayers(context, batch, { cosine, sine, bias }, embedded))];
  };
}

export function hiddenSpecs(shape: ModelShape, leaves: readonly Leaf[], batch: BatchShape): TensorSpec[] {
  const training = trainingSpecs(shape, leaves, batch, []);
  return [...training.slice(0, leaves.length), ...training.slice(2 * leaves.length, -1)];
}
