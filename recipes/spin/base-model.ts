/**
 * Sizes of a base model as the configuration in its folder tells them, for the plan: Llama and its many relatives
 * use one set of names. Opens no weights.
 */
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { z } from "zod";

const size = z.int().positive();

const configSchema = z.object({
  vocab_size: size,
  hidden_size: size,
  intermediate_size: size,
  num_hidden_layers: size,
  num_attention_heads: size,
  num_key_value_heads: size.nullish(),
  head_dim: size.nullish(),
  tie_word_embeddings: z.boolean().default(false),
});

export interface BaseModelSizes {
  readonly width: number;
  readonly layerCount: number;
  readonly headCount: number;
  readonly vocabularySize: number;
  /** Of the keys of one position in one layer, all heads together; values are as wide. */
  readonly keyWidth: number;
  /** Inputs and outputs of every linear layer, the last one to the vocabulary included. */
  readonly linearLayers: readonly (readonly [inputs: number, outputs: number])[];
  /** Without biases, which few of these models have. */
  readonly parameterCount: number;
}

/** Null where there is no such folder, or its configuration has other names. */
export async function readBaseModelSizes(folder: string): Promise<BaseModelSizes | null> {
  const text = await readFile(join(folder, "config.json"), "utf8").catch(() => null);
  const config = configSchema.safeParse(text === null ? null : parsed(text)).data;
  if (config === undefined) return null;
  const width = config.hidden_size;
  const headWidth = config.head_dim ?? width / config.num_attention_heads;
  const queryWidth = headWidth * config.num_attention_heads;
  const keyWidth = headWidth * (config.num_key_value_heads ?? config.num_attention_heads);
  const layer: [number, number][] = [
    [width, queryWidth],
    [width, keyWidth],
    [width, keyWidth],
    [queryWidth, width],
    [width, config.intermediate_size],
    [width, config.intermediate_size],
    [config.intermediate_size, width],
  ];
  const layerCount = config.num_hidden_layers;
  const ofLayer = layer.reduce((sum, [inputs, outputs]) => sum + inputs * outputs, 0);
  const embeddingCount = config.tie_word_embeddings ? 1 : 2;
  return {
    width,
    layerCount,
    headCount: config.num_attention_heads,
    vocabularySize: config.vocab_size,
    keyWidth,
    linearLayers: [...Array.from({ length: layerCount }, () => layer).flat(), [width, config.vocab_size]],
    parameterCount: embeddingCount * config.vocab_size * width + layerCount * (ofLayer + 2 * width) + width,
  };
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}
