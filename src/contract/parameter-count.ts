/** How many weights an architecture has, for plans: known before any engine starts. */
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
