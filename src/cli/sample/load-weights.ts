/** Brings kept weights of a run onto an engine, with the tokenizer that was saved beside them. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { CallOptions } from "../../base/index.ts";
import type { Engine, Model, PolicyVersion } from "../../contract/index.ts";
import type { RunReader } from "../../store/index.ts";
import { loadTokenizerFolder, type Tokenizer } from "../../text/index.ts";
import type { SavedPolicy, SavedWeights } from "../../train/index.ts";
import { tokenizerOfRun } from "../replay/run-tokenizers.ts";

export interface LoadedWeights {
  readonly label: string;
  readonly model: Model;
  readonly version: PolicyVersion;
}

export interface LoadRequest {
  readonly engine: Engine;
  readonly reader: RunReader;
  readonly weights: SavedWeights;
  readonly signal?: AbortSignal;
}

/** Makes the model of a checkpoint. @throws `state-unreadable`, `run-corrupt` */
export async function loadModel(request: LoadRequest): Promise<Model> {
  const { engine, reader, weights } = request;
  const folder = await reader.checkpointFolder(weights.checkpoint);
  const from = { kind: "saved", folder, includeOptimizer: false } as const;
  return engine.createModel({ name: weights.checkpoint, from }, callOf(request));
}

export async function loadWeights(request: LoadRequest): Promise<LoadedWeights> {
  const model = await loadModel(request);
  const version = await model.publish({}, callOf(request));
  return { label: request.weights.label, model, version };
}

function callOf({ signal }: LoadRequest): CallOptions {
  return signal === undefined ? {} : { signal };
}

/**
 * The tokenizer of a policy: from its checkpoint, else from an export of the model.
 *
 * @throws `tokenizer-not-found`
 */
export async function tokenizerOf(reader: RunReader, policy: SavedPolicy, model: Model): Promise<Tokenizer> {
  const saved = await tokenizerOfRun(reader, policy.name);
  if (saved !== null) return saved;
  const folder = mkdtempSync(join(tmpdir(), "spar-"));
  try {
    await model.export(join(folder, "model"));
    return await loadTokenizerFolder(join(folder, "model"));
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
