/** How large a model from scratch is, for plans: known before any engine starts. */
import type { Architecture } from "./models.ts";

/**
 * Weights of a model from scratch: embeddings, layers, norms, and a head where embeddings are not tied. Matrices have
 * no biases. Engines that build such a model have exactly these.
 */
export function parameterCountOf(architecture: Architecture, head: "policy" | "value" = "policy"): number {
  const { vocabularySize, contextLength, width, layerCount, feedForwardWidth = 4 * width } = architecture;
  const norm = architecture.norm === "layer" ? 2 * width : width;
  const feedForwardMatrices = architecture.activation === "swiglu" ? 3 : 2;
  const layer = 4 * width ** 2 + feedForwardMatrices * width * feedForwardWidth + 2 * norm;
  const vocabularyMatrices = architecture.tiedEmbeddings === false ? 2 : 1;
  const positions = architecture.positions === "learned" ? contextLength * width : 0;
  const valueHead = head === "value" ? width : 0;
  return vocabularyMatrices * vocabularySize * width + positions + layerCount * layer + norm + valueHead;
}

/**
 * The usual count for a transformer in float32 that keeps everything for the backward pass: for each position and layer
 * 17 values per unit of width, and 2.5 per head and position that is attended to.
 *
 * @unit bytes
 * @paper arXiv:2205.05198 sec. 4.1 (34 and 5 bytes there, at two bytes a value)
 */
export function activationBytesOf(
  { width, layerCount, headCount }: Pick<Architecture, "width" | "layerCount" | "headCount">,
  rows: { readonly count: number; readonly tokens: number },
): number {
  const perPosition = 17 * width + 2.5 * headCount * rows.tokens;
  return Math.round(rows.count * rows.tokens * layerCount * perPosition * 4);
}
