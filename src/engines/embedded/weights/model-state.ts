/**
 * A model on disk: `config.json` (readable), `weights.safetensors`, and where there are any `adapters.safetensors`,
 * `optimizer.safetensors` and the tokenizer's files. Loading gives back every bit that training goes on from.
 */
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { isSparError, messageOf, sha256 } from "../../../base/index.ts";
import {
  engineError,
  optimizerKinds,
  type Architecture,
  type SavedState,
  type TokenizerDefinition,
  type Tuning,
} from "../../../contract/index.ts";
import type { SharedHeap } from "../executor/heap.ts";
import { adapterPlaces, listAdapters } from "../model/adapters.ts";
import { architectureOf, resolveShape, trueLength, type ModelShape } from "../model/layout.ts";
import type { LiveModel } from "../training/live-model.ts";
import { newOptimizerState, type OptimizerState } from "../training/optimizers.ts";
import { fillFlat, tensorsOf, type TensorPlace } from "./named-tensors.ts";
import { decodeSafetensors, encodeSafetensors } from "./safetensors.ts";
import { newBlock, viewBlock, type WeightBlock } from "./weight-store.ts";
import { writeFolder } from "./write-folder.ts";

const format = "spar-embedded-model";
const formatVersion = 1;

interface StateConfig {
  readonly format: string;
  readonly formatVersion: number;
  readonly architecture: Architecture;
  readonly head: "policy" | "value";
  readonly tuning: Tuning;
  readonly stepCount: number;
  readonly optimizer: { readonly kind: string; readonly steps: number } | null;
}

/** What a folder holds; `weights` belong to the caller. */
export interface LoadedState {
  readonly weights: WeightBlock;
  readonly tuning: Tuning;
  readonly trained: Float32Array | undefined;
  readonly optimizer: OptimizerState | undefined;
  readonly stepCount: number;
  readonly tokenizer: TokenizerDefinition | undefined;
}

export async function saveState(folder: string, model: LiveModel, signal?: AbortSignal): Promise<SavedState> {
  const { heap, adapterState, optimizer, stepCount, tuning } = model;
  const base = adapterState?.base ?? model.weights;
  const weights = encodeSafetensors(tensorsOf(viewBlock(heap, base), placesOf(base)));
  const config: StateConfig = {
    format,
    formatVersion,
    architecture: architectureOf(base.shape),
    head: base.shape.hasValueHead ? "value" : "policy",
    tuning,
    stepCount,
    optimizer: optimizer === undefined ? null : { kind: optimizer.kind, steps: optimizer.steps },
  };
  const places = trainedPlaces(base, tuning);
  const files: Record<string, string | Uint8Array> = {
    "config.json": `${JSON.stringify(config, null, 2)}\n`,
    "weights.safetensors": weights,
    ...tokenizerFiles(model.tokenizer),
  };
  if (adapterState !== undefined)
    files["adapters.safetensors"] = encodeSafetensors(tensorsOf(adapterState.trained, places));
  if (optimizer !== undefined) {
    const moments = [
      ...tensorsOf(optimizer.first, places, "first."),
      ...tensorsOf(optimizer.second, places, "second."),
    ];
    files["optimizer.safetensors"] = encodeSafetensors(moments);
  }
  const bytes = await writeFolder(folder, files, signal);
  return { folder, bytes, digest: digestFiles(files) };
}

/** @throws `state-unreadable` */
export async function loadState(folder: string, heap: SharedHeap): Promise<LoadedState> {
  let weights: WeightBlock | undefined;
  try {
    const config = readConfig(await readFile(join(folder, "config.json"), "utf8"));
    weights = newBlock(heap, resolveShape(config.architecture, config.head));
    fillFlat(viewBlock(heap, weights), placesOf(weights), await readTensors(folder, "weights"));
    const places = trainedPlaces(weights, config.tuning);
    const length = config.tuning.kind === "lora" ? endOf(places) : weights.length;
    let trained: Float32Array | undefined;
    if (config.tuning.kind === "lora") {
      trained = new Float32Array(length);
      fillFlat(trained, places, await readTensors(folder, "adapters"));
    }
    const optimizer =
      config.optimizer === null ? undefined : await loadOptimizer(folder, config.optimizer, places, length);
    const tokenizer = await readTokenizer(folder);
    return { weights, tuning: config.tuning, trained, optimizer, stepCount: config.stepCount, tokenizer };
  } catch (cause) {
    if (weights !== undefined) heap.free(weights.address);
    if (isSparError(cause) && cause.code === "memory-exhausted") throw cause;
    throw engineError("state-unreadable", `expected a saved model in ${folder}: ${messageOf(cause)}`, {
      hint: "name a folder that Model.save wrote with this engine",
      cause,
    });
  }
}

/** Tensors of a block without the rows that pad the vocabulary. */
export function placesOf({
  shape,
  leaves,
}: {
  shape: ModelShape;
  leaves: WeightBlock["leaves"];
}): TensorPlace[] {
  return leaves.map((leaf) => ({ ...leaf, length: trueLength(shape, leaf) }));
}

export function tokenizerFiles(tokenizer: TokenizerDefinition | undefined): Record<string, string> {
  if (tokenizer === undefined) return {};
  return {
    "tokenizer.json": tokenizer.tokenizerJson,
    "tokenizer_config.json": tokenizer.tokenizerConfigJson,
  };
}

function trainedPlaces(base: WeightBlock, tuning: Tuning): TensorPlace[] {
  if (tuning.kind === "full") return placesOf(base);
  return adapterPlaces(listAdapters(base.leaves, tuning.rank), tuning.rank);
}

function endOf(places: readonly TensorPlace[]): number {
  return places.reduce((end, place) => Math.max(end, place.offset + place.length), 0);
}

async function loadOptimizer(
  folder: string,
  saved: { readonly kind: string; readonly steps: number },
  places: readonly TensorPlace[],
  length: number,
): Promise<OptimizerState> {
  const kind = optimizerKinds.find((name) => name === saved.kind);
  if (kind === undefined) throw new Error(`the optimizer ${saved.kind} is unknown`);
  const state = newOptimizerState(kind, length);
  const moments = await readTensors(folder, "optimizer");
  fillFlat(state.first, places, moments, "first.");
  fillFlat(state.second, places, moments, "second.");
  state.steps = saved.steps;
  return state;
}

async function readTensors(folder: string, name: string): Promise<ReturnType<typeof decodeSafetensors>> {
  return decodeSafetensors(await readFile(join(folder, `${name}.safetensors`)));
}

export async function readTokenizer(folder: string): Promise<TokenizerDefinition | undefined> {
  try {
    const tokenizerJson = await readFile(join(folder, "tokenizer.json"), "utf8");
    return {
      tokenizerJson,
      tokenizerConfigJson: await readFile(join(folder, "tokenizer_config.json"), "utf8"),
    };
  } catch {
    return undefined;
  }
}

function readConfig(text: string): StateConfig {
  const config = JSON.parse(text) as StateConfig;
  if (config.format !== format)
    throw new Error(`config.json has format ${JSON.stringify(config.format)}, expected ${format}`);
  if (config.formatVersion !== formatVersion) {
    throw new Error(
      `config.json has format version ${config.formatVersion}, this software reads ${formatVersion}`,
    );
  }
  return config;
}

function digestFiles(files: Readonly<Record<string, string | Uint8Array>>): string {
  return sha256(
    Object.entries(files)
      .map(([name, content]) => `${name} ${sha256(content)}\n`)
      .join(""),
  );
}
