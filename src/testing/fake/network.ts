/**
 * The network of the fake engine, forward and backward in float64: one hidden layer over the current
 * token, the previous one and the mean of all so far,
 *
 *   h_i = tanh(current[x_i] + previous[x_(i-1)] + mean_(j <= i) history[x_j]),  logits_i = output h_i + bias
 *
 * so a prediction depends on the whole prefix, and every gradient is exact. Knows no loss.
 */
import type { Chunk } from "../../contract/index.ts";
import { imageFeatureCount, imagePositionCount, type NetworkLayout } from "./layout.ts";

/** What stands at a position: a token, or a part of an image. */
export type PositionInput =
  | { readonly kind: "token"; readonly tokenId: number }
  | { readonly kind: "image"; readonly features: readonly number[] };

export interface Network {
  readonly layout: NetworkLayout;
  readonly weights: Float64Array;
}

/** @shape hidden `[T][H]`, logprobs `[T][V]`, values `[T]` */
export interface Activations {
  readonly hidden: readonly Float64Array[];
  readonly logprobs: readonly Float64Array[];
  readonly values: Float64Array;
}

/** Gradients that arrive at the outputs. @shape logits `[T][V]`, values `[T]` */
export interface OutputGradients {
  readonly logits: readonly Float64Array[];
  readonly values: Float64Array;
}

/** The prefix as far as the next position needs it. */
export interface PrefixState {
  readonly positionCount: number;
  readonly last: PositionInput | null;
  readonly historySum: Float64Array;
}

export function positionInputs(chunks: readonly Chunk[]): PositionInput[] {
  return chunks.flatMap((chunk): PositionInput[] =>
    chunk.kind === "tokens"
      ? chunk.tokenIds.map((tokenId) => ({ kind: "token", tokenId }))
      : Array.from({ length: imagePositionCount }, (_unused, quarter) => ({
          kind: "image",
          features: quarterFeatures(chunk, quarter),
        })),
  );
}

/** The prefix of some inputs, without what the network gives out at each: for prompts of which only the end counts. */
export function prefixOf(network: Network, inputs: readonly PositionInput[]): PrefixState {
  const historySum = new Float64Array(network.layout.width);
  for (const input of inputs) addEmbedding(network, network.layout.history, input, historySum);
  return { positionCount: inputs.length, last: inputs.at(-1) ?? null, historySum };
}

/** One position further: its activations and the longer prefix. */
export function advancePrefix(
  network: Network,
  prefix: PrefixState,
  input: PositionInput,
): {
  readonly prefix: PrefixState;
  readonly hidden: Float64Array;
  readonly logprobs: Float64Array;
  readonly value: number;
} {
  const { layout, weights } = network;
  const positionCount = prefix.positionCount + 1;
  const historySum = prefix.historySum.slice();
  addEmbedding(network, layout.history, input, historySum);
  const hidden = historySum.map((sum) => sum / positionCount);
  addEmbedding(network, layout.current, input, hidden);
  if (prefix.last !== null) addEmbedding(network, layout.previous, prefix.last, hidden);
  for (let unit = 0; unit < layout.width; unit++) hidden[unit] = Math.tanh(hidden[unit] ?? 0);
  const logits = new Float64Array(layout.vocabularySize);
  for (let tokenId = 0; tokenId < logits.length; tokenId++) {
    const row = layout.output + tokenId * layout.width;
    logits[tokenId] = (weights[layout.bias + tokenId] ?? 0) + dot(weights, row, hidden);
  }
  const value = (weights[layout.value + layout.width] ?? 0) + dot(weights, layout.value, hidden);
  return { prefix: { positionCount, last: input, historySum }, hidden, logprobs: logSoftmax(logits), value };
}

export function forwardPass(network: Network, inputs: readonly PositionInput[]): Activations {
  let prefix = prefixOf(network, []);
  const hidden: Float64Array[] = [];
  const logprobs: Float64Array[] = [];
  const values = new Float64Array(inputs.length);
  inputs.forEach((input, position) => {
    const step = advancePrefix(network, prefix, input);
    prefix = step.prefix;
    hidden.push(step.hidden);
    logprobs.push(step.logprobs);
    values[position] = step.value;
  });
  return { hidden, logprobs, values };
}

/** Adds the gradient of the weights to `gradient`. Backwards, so that one running sum serves `history`. */
export function backwardPass(
  network: Network,
  inputs: readonly PositionInput[],
  activations: Activations,
  outputs: OutputGradients,
  gradient: Float64Array,
): void {
  const { layout, weights } = network;
  const { width } = layout;
  const historyGradient = new Float64Array(width);
  for (let position = inputs.length - 1; position >= 0; position--) {
    const hidden = activations.hidden[position] ?? new Float64Array(width);
    const logitGradients = outputs.logits[position] ?? new Float64Array(layout.vocabularySize);
    const hiddenGradient = new Float64Array(width);
    logitGradients.forEach((logitGradient, tokenId) => {
      if (logitGradient === 0) return;
      add(gradient, layout.bias + tokenId, logitGradient);
      addScaled(gradient, layout.output + tokenId * width, hidden, logitGradient);
      for (let unit = 0; unit < width; unit++) {
        add(hiddenGradient, unit, logitGradient * (weights[layout.output + tokenId * width + unit] ?? 0));
      }
    });
    const valueGradient = outputs.values[position] ?? 0;
    add(gradient, layout.value + width, valueGradient);
    addScaled(gradient, layout.value, hidden, valueGradient);
    const before = hiddenGradient.map(
      (sum, unit) =>
        (sum + valueGradient * (weights[layout.value + unit] ?? 0)) * (1 - (hidden[unit] ?? 0) ** 2),
    );
    addScaled(historyGradient, 0, before, 1 / (position + 1));
    const input = inputs[position];
    const previous = inputs[position - 1];
    if (input !== undefined) {
      addEmbeddingGradient(layout, gradient, layout.current, input, before);
      addEmbeddingGradient(layout, gradient, layout.history, input, historyGradient);
    }
    if (previous !== undefined) addEmbeddingGradient(layout, gradient, layout.previous, previous, before);
  }
}

export function logSoftmax(logits: Float64Array): Float64Array {
  const largest = logits.reduce((most, logit) => Math.max(most, logit), Number.NEGATIVE_INFINITY);
  const sum = logits.reduce((total, logit) => total + Math.exp(logit - largest), 0);
  const logSum = largest + Math.log(sum);
  return logits.map((logit) => logit - logSum);
}

function addEmbedding(network: Network, section: number, input: PositionInput, into: Float64Array): void {
  const { layout, weights } = network;
  for (const { offset, scale } of embeddingRows(layout, section, input)) {
    for (let unit = 0; unit < layout.width; unit++) add(into, unit, scale * (weights[offset + unit] ?? 0));
  }
}

function addEmbeddingGradient(
  layout: NetworkLayout,
  gradient: Float64Array,
  section: number,
  input: PositionInput,
  incoming: Float64Array,
): void {
  for (const { offset, scale } of embeddingRows(layout, section, input))
    addScaled(gradient, offset, incoming, scale);
}

/** The rows whose weighted sum is the embedding of an input: one of a table, or one per image feature. */
function embeddingRows(
  layout: NetworkLayout,
  section: number,
  input: PositionInput,
): { readonly offset: number; readonly scale: number }[] {
  if (input.kind === "token") return [{ offset: section + input.tokenId * layout.width, scale: 1 }];
  return input.features.map((scale, feature) => ({ offset: layout.image + feature * layout.width, scale }));
}

/** Mean of each colour over one quarter, in -1 .. 1. */
function quarterFeatures(image: Extract<Chunk, { kind: "image" }>, quarter: number): number[] {
  const sums = new Float64Array(imageFeatureCount);
  let pixelCount = 0;
  for (let y = 0; y < image.heightPixels; y++) {
    for (let x = 0; x < image.widthPixels; x++) {
      const isRight = x >= image.widthPixels / 2 ? 1 : 0;
      const isLower = y >= image.heightPixels / 2 ? 1 : 0;
      if (isRight + 2 * isLower !== quarter) continue;
      pixelCount += 1;
      for (let color = 0; color < imageFeatureCount; color++) {
        const channel = Math.min(color, image.channels - 1);
        add(sums, color, image.pixels[(y * image.widthPixels + x) * image.channels + channel] ?? 0);
      }
    }
  }
  return [...sums].map((sum) => (pixelCount === 0 ? 0 : sum / pixelCount / 127.5 - 1));
}

function dot(weights: Float64Array, offset: number, vector: Float64Array): number {
  let sum = 0;
  for (let index = 0; index < vector.length; index++)
    sum += (weights[offset + index] ?? 0) * (vector[index] ?? 0);
  return sum;
}

function add(into: Float64Array, index: number, amount: number): void {
  into[index] = (into[index] ?? 0) + amount;
}

function addScaled(into: Float64Array, offset: number, vector: Float64Array, scale: number): void {
  if (scale === 0) return;
  for (let index = 0; index < vector.length; index++) add(into, offset + index, scale * (vector[index] ?? 0));
}
