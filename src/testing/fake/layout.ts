/**
 * The weights of the fake engine's network as sections of one flat array, so that optimizers,
 * checkpoints and digests need not know them apart.
 */
import { createRandom } from "../../base/index.ts";

/** Average colour of a quarter of an image: what an image position feeds in. */
export const imageFeatureCount = 3;
/** An image occupies one position per quarter. */
export const imagePositionCount = 4;

export interface NetworkSizes {
  readonly vocabularySize: number;
  /** Width of the one hidden layer. */
  readonly width: number;
}

/** Where each section starts; all matrices are row-major. */
export interface NetworkLayout extends NetworkSizes {
  /** `[V, H]` embedding of the token at a position. */
  readonly current: number;
  /** `[V, H]` embedding of the token one position earlier. */
  readonly previous: number;
  /** `[V, H]` embedding whose mean over all positions so far is the long memory. */
  readonly history: number;
  /** `[3, H]` embedding of image features, used in all three places. */
  readonly image: number;
  /** `[V, H]` from hidden layer to logits. */
  readonly output: number;
  /** `[V]` bias of the logits. */
  readonly bias: number;
  /** `[H + 1]` value head and its bias. */
  readonly value: number;
  readonly parameterCount: number;
}

export function layoutOf({ vocabularySize, width }: NetworkSizes): NetworkLayout {
  const table = vocabularySize * width;
  const image = 3 * table;
  const output = image + imageFeatureCount * width;
  const bias = output + table;
  const value = bias + vocabularySize;
  return {
    vocabularySize,
    width,
    current: 0,
    previous: table,
    history: 2 * table,
    image,
    output,
    bias,
    value,
    parameterCount: value + width + 1,
  };
}

/** Weights that make neither uniform nor certain predictions. */
export function initialWeights(layout: NetworkLayout, seed: number): Float64Array {
  const random = createRandom(seed).split("fake-weights");
  const weights = Float64Array.from({ length: layout.parameterCount }, () => 0.5 * random.normal());
  const outputScale = 2 / Math.sqrt(layout.width);
  for (let index = layout.output; index < layout.bias; index++)
    weights[index] = outputScale * random.normal();
  return weights;
}
