/**
 * Writes a model in the hub's file formats, adapters merged, and reads such a folder back. With RMS norms, rotary
 * positions and a gated unit the tensors carry Llama's names and shapes, so other software can load them;
 * every other architecture is written as model type `spar` with its own names.
 */
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { isSparError, messageOf } from "../../../base/index.ts";
import { engineError, type Architecture, type TokenizerDefinition } from "../../../contract/index.ts";
import type { SharedHeap } from "../executor/heap.ts";
import { architectureOf, resolveShape, type ModelShape } from "../model/layout.ts";
import type { LiveModel } from "../training/live-model.ts";
import { placesOf, readTokenizer, tokenizerFiles } from "./model-state.ts";
import { fillFlat, tensorsOf } from "./named-tensors.ts";
import { decodeSafetensors, encodeSafetensors, type NamedTensor } from "./safetensors.ts";
import { newBlock, viewBlock, type WeightBlock } from "./weight-store.ts";
import { writeFolder } from "./write-folder.ts";

export async function exportModel(folder: string, model: LiveModel, signal?: AbortSignal): Promise<void> {
  const { heap, weights } = model;
  const isLlama = isLlamaClass(weights.shape);
  const own = tensorsOf(viewBlock(heap, weights), placesOf(weights));
  const tensors = isLlama ? own.map((tensor) => renamed(transposed(tensor))) : own;
  const files = {
    "config.json": `${JSON.stringify(configOf(weights.shape), null, 2)}\n`,
    "model.safetensors": encodeSafetensors(tensors, { format: "pt" }),
    ...tokenizerFiles(model.tokenizer),
  };
  await writeFolder(folder, files, signal);
}

/** @throws `state-unreadable` */
export async function loadBase(
  folder: string,
  heap: SharedHeap,
): Promise<{ weights: WeightBlock; tokenizer: TokenizerDefinition | undefined }> {
  let weights: WeightBlock | undefined;
  try {
    const config: unknown = JSON.parse(await readFile(join(folder, "config.json"), "utf8"));
    if (typeof config !== "object" || config === null || !("spar_architecture" in config)) {
      throw new Error("config.json was not written by spar");
    }
    weights = newBlock(
      heap,
      resolveShape(
        config.spar_architecture as Architecture,
        "spar_head" in config && config.spar_head === "value" ? "value" : "policy",
      ),
    );
    const read = decodeSafetensors(await readFile(join(folder, "model.safetensors")));
    const places = placesOf(weights);
    const isLlama = isLlamaClass(weights.shape);
    const own = new Map<string, NamedTensor>();
    for (const { name } of places) {
      const tensor = read.get(isLlama ? llamaName(name) : name);
      if (tensor !== undefined) own.set(name, isLlama ? transposed({ ...tensor, name }) : tensor);
    }
    fillFlat(viewBlock(heap, weights), places, own);
    return { weights, tokenizer: await readTokenizer(folder) };
  } catch (cause) {
    if (weights !== undefined) heap.free(weights.address);
    if (isSparError(cause) && cause.code === "memory-exhausted") throw cause;
    throw engineError(
      "state-unreadable",
      `the embedded engine cannot start from ${folder}: ${messageOf(cause)}`,
      {
        hint: "name a folder that Model.export wrote; models of the hub need the torch engine",
        cause,
      },
    );
  }
}

function isLlamaClass(shape: ModelShape): boolean {
  return shape.norm === "rms" && shape.positions === "rotary" && shape.activation === "swiglu";
}

function configOf(shape: ModelShape): Record<string, unknown> {
  const isLlama = isLlamaClass(shape);
  return {
    architectures: [isLlama ? "LlamaForCausalLM" : "SparForCausalLM"],
    model_type: isLlama ? "llama" : "spar",
    vocab_size: shape.vocabularySize,
    hidden_size: shape.width,
    intermediate_size: shape.feedForwardWidth,
    num_hidden_layers: shape.layerCount,
    num_attention_heads: shape.headCount,
    num_key_value_heads: shape.headCount,
    max_position_embeddings: shape.contextLength,
    hidden_act: isLlama ? "silu" : shape.activation,
    rms_norm_eps: 1e-5,
    rope_theta: 10_000,
    tie_word_embeddings: shape.tiedEmbeddings,
    attention_bias: false,
    mlp_bias: false,
    torch_dtype: "float32",
    spar_architecture: architectureOf(shape),
    spar_head: shape.hasValueHead ? "value" : "policy",
  };
}

const llamaParts: Readonly<Record<string, string>> = {
  "attentionNorm.gain": "input_layernorm.weight",
  query: "self_attn.q_proj.weight",
  key: "self_attn.k_proj.weight",
  value: "self_attn.v_proj.weight",
  output: "self_attn.o_proj.weight",
  "feedForwardNorm.gain": "post_attention_layernorm.weight",
  gate: "mlp.gate_proj.weight",
  up: "mlp.up_proj.weight",
  down: "mlp.down_proj.weight",
};

function llamaName(name: string): string {
  if (name === "embedding") return "model.embed_tokens.weight";
  if (name === "finalNorm.gain") return "model.norm.weight";
  if (name === "head") return "lm_head.weight";
  if (name === "valueHead") return "value_head.weight";
  const [, layer, part] = /^layers\.(\d+)\.(.+)$/.exec(name) ?? [];
  return `model.layers.${layer}.${llamaParts[part ?? ""] ?? part}`;
}

function renamed(tensor: NamedTensor): NamedTensor {
  return { ...tensor, name: llamaName(tensor.name) };
}

/** The hub keeps projections as `[outputs, inputs]`; embeddings and gains stay as they are. */
function transposed(tensor: NamedTensor): NamedTensor {
  const [rows = 0, columns = 0] = tensor.shape;
  if (tensor.shape.length !== 2 || tensor.name === "embedding" || tensor.name === "head") return tensor;
  const values = new Float32Array(tensor.values.length);
  for (let row = 0; row < rows; row += 1) {
    for (let column = 0; column < columns; column += 1)
      values[column * rows + row] = tensor.values[row * columns + column] ?? 0;
  }
  return { name: tensor.name, shape: [columns, rows], values };
}
