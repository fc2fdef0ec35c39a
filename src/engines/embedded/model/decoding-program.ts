/**
 * One step of sampling with a key-value cache: `queryCount` positions for every row of a batch.
 *
 * All rows start at slot 0 and move in lockstep, so a position is a slot and one mask serves all. The cache is laid
 * out slot by slot, `[S, B, D]`: what a step writes is one contiguous piece, which the kernels write in place.
 * Sums over slots run in slot order whatever the number of slots, and masked slots add exact zeros;
 * a row's bits therefore depend neither on the bucket of the cache nor on the company in the batch.
 * Where an executor cannot read in a step what the step has written, the step attends to the cache as it was and to
 * its own keys and values apart: the same sums in two parts.
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

export interface DecodingShape {
  /** Rows of the batch. */
  readonly rows: number;
  /** Slots of the cache that are looked at: at least those filled after the step. */
  readonly slots: number;
  /** Positions per call: 1 when sampling, more when a prompt is read. */
  readonly queryCount: number;
  /** Reading a prompt needs no logits. */
  readonly withLogits: boolean;
  /** Where attention finds the keys and values of the step itself. */
  readonly fresh: "cached" | "apart";
}

/**
 * Inputs: weights, then cosine, sine, bias, position ids, tokens, then per layer the cache of keys and of values,
 * then, for keys apart, the bias between the positions of the step.
 */
export function decodingSpecs(shape: ModelShape, leaves: readonly Leaf[], step: DecodingShape): TensorSpec[] {
  const { rows, slots, queryCount } = step;
  const half = shape.width / shape.headCount / 2;
  const cache: TensorSpec = { shape: [slots, rows, shape.width], type: "float32" };
  return [
    ...leaves.map((leaf): TensorSpec => ({ shape: leaf.shape, type: "float32" })),
    { shape: [queryCount, 1, 1, 2, half], type: "float32" },
    { shape: [queryCount, 1, 1, 2, half], type: "float32" },
    { shape: [slots, queryCount, 1, shape.headCount], type: "float32" },
    { shape: [queryCount], type: "int32" },
    { shape: [queryCount * rows], type: "int32" },
    ...Array.from({ length: 2 * shape.layerCount }, () => cache),
    ...(step.fresh === "apart" ? [{ ...cache, shape: [queryCount, queryCount, 1, shape.headCount] }] : []),
  ];
}

/** Outputs: per layer the new keys and the new values `[queryCount * rows, D]`, then the logits where wanted. */
export function buildDecoding(
  shape: ModelShape,
  leaves: readonly Leaf[],
  step: DecodingShape,
): (jax: JaxModule, inputs: JaxArray[]) => JaxArray[] {
  return (jax, inputs) => {
    const byName = new Map(leaves.map((leaf, index) => [leaf.name, inputs[index]!]));
    const weights: Weights = (name) => byName.get(name)!.ref;
    const context: LayerContext = { jax, shape, weights };
    const [cosine, sine, bias, positions, tokens, ...caches] = inputs.slice(leaves.length) as Five;
    let x = jax.numpy.take(weights("embedding"), tokens, 0);
    if (shape.positions === "learned") x = addPositions(context, step, x, positions);
    const written: JaxArray[] = [];
    for (let layer = 0; layer < shape.layerCount; layer += 1) {
      const path = `layers.${layer}`;
      const attended = attendToCache(context, path, step, {
        x: normalize(context, `${path}.attentionNorm`, x.ref),
        cosine,
        sine,
        bias,
        keys: caches[2 * layer]!,
        values: caches[2 * layer + 1]!,
        freshBias: step.fresh === "apart" ? caches[2 * shape.layerCount] : undefined,
      });
      written.push(attended.key, attended.value);
      // The last layer of a prompt without logits only has to leave its keys and values behind.
      if (!step.withLogits && layer === shape.layerCount - 1) break;
      x = x.add(attended.mixed());
      x = x.ref.add(feedForward(context, path, normalize(context, `${path}.feedForwardNorm`, x)));
    }
    return step.withLogits ? [...written, readOut(context, normalize(context, "finalNorm", x))] : written;
  };
}

type Five = [JaxArray, JaxArray, JaxArray, JaxArray, JaxArray, ...JaxArray[]];

function addPositions(
  context: LayerContext,
  step: DecodingShape,
  x: JaxArray,
  positions: JaxArray,
): JaxArray {
  const { width } = context.shape;
  const table = context.jax.numpy.take(context.weights("positions"), positions, 0);
  const rows = x.reshape([step.queryCount, step.rows, width]).add(table.reshape([step.queryCount, 1, width]));
  return rows.reshape([step.queryCount * step.rows, width]);
}

interface CacheInputs {
  readonly x: JaxArray;
  readonly cosine: JaxArray;
  readonly sine: JaxArray;
  readonly bias: JaxArray;
  readonly keys: JaxArray;
  readonly values: JaxArray;
  /** Present where the step's own keys and values are apart from the cache. */
  readonly freshBias: JaxArray | undefined;
}

interface Attended {
  readonly key: JaxArray;
  readonly value: JaxArray;
  /** Attention over the cache, which by then holds `key` and `value` unless they are apart. */
  mixed(): JaxArray;
}

function attendToCache(
  context: LayerContext,
  path: string,
  step: DecodingShape,
  inputs: CacheInputs,
): Attended {
  const { jax, shape } = context;
  const { rows, slots, queryCount } = step;
  const heads = shape.headCount;
  const size = shape.width / heads;
  const turn = (y: JaxArray): JaxArray =>
    shape.positions === "rotary"
      ? rotate(jax, y.reshape([queryCount, rows, heads, size]), inputs.cosine.ref, inputs.sine.ref)
      : y;
  const flat = [queryCount * rows, shape.width];
  const key = turn(project(context, `${path}.key`, inputs.x.ref)).reshape(flat);
  const value = project(context, `${path}.value`, inputs.x.ref);
  const mixed = (): JaxArray => {
    const query = turn(project(context, `${path}.query`, inputs.x)).mul(1 / Math.sqrt(size));
    const queries = query.reshape([1, queryCount, rows, heads, size]);
    const past: Memory = { keys: inputs.keys, values: inputs.values, bias: inputs.bias, slots };
    const { freshBias } = inputs;
    const memories =
      freshBias === undefined
        ? [past]
        : [past, { keys: key.ref, values: value.ref, bias: freshBias, slots: queryCount }];
    const mixture = attendToMemories(context, step, queries, memories).reshape(flat);
    return project(context, `${path}.output`, mixture);
  };
  return { key, value, mixed };
}

/** Keys and values by slot. */
interface Memory {
  /** @shape reshapes to `[slots, B, H, d]` */
  readonly keys: JaxArray;
  readonly values: JaxArray;
  readonly bias: JaxArray;
  readonly slots: number;
}

/** One softmax over the slots of all memories. @shape queries: `[1, Q, B, H, d]` to `[Q, B, H, d]` */
function attendToMemories(
  { jax, shape }: LayerContext,
  { rows, queryCount }: DecodingShape,
  queries: JaxArray,
  memories: readonly Memory[],
): JaxArray {
  const { numpy } = jax;
  const heads = shape.headCount;
  const size = shape.width / heads;
  const scores = memories.map(({ keys, bias, slots }) =>
    numpy.vecdot(queries.ref, keys.reshape([slots, 1, rows, heads, size])).add(bias.ref),
  );
  queries.dispose();
  const largest = scores
    .map((part) => numpy.max(part.ref, 0, { keepdims: true }))
    .reduce((one, other) => numpy.maximum(one, other));
  const exponentials = scores.map((part) => numpy.exp(part.sub(largest.ref)));
  largest.dispose();
  const total = exponentials.map((part) => numpy.sum(part.ref, 0)).reduce((sum, part) => sum.add(part));
  const sums = memories
    .map(({ values, slots }, index) =>
      numpy.vecdot(
        exponentials[index]!.transpose([1, 2, 3, 0]).reshape([queryCount, rows, heads, 1, slots]),
        values.reshape([slots, 1, rows, heads, size]).transpose([1, 2, 3, 4, 0]),
      ),
    )
    .reduce((sum, part) => sum.add(part));
  return sums.mul(numpy.reciprocal(total).reshape([queryCount, rows, heads, 1]));
}
