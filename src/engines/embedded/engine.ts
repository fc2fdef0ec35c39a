/**
 * The embedded engine: tiny transformers on WebAssembly in a thread of this process, without Python or GPU.
 *
 * jax-js traces, differentiates and generates kernels; executor, memory and threads are ours. This file is the
 * caller's side: it checks calls, knows what was published, and leaves every computation to the engine's thread.
 */
import { existsSync } from "node:fs";
import { availableParallelism } from "node:os";
import { type CallOptions } from "../../base/index.ts";
import {
  capabilityMissing,
  checkChunks,
  checkSampleRequest,
  engineError,
  type Capability,
  type Chunk,
  type CreateModelOptions,
  type Engine,
  type EngineDescription,
  type Model,
  type PolicyVersion,
  type SampleRequest,
  type SampleResponse,
} from "../../contract/index.ts";
import { embeddedCapabilities, nativeCapabilities } from "./capabilities.ts";
import { EmbeddedModel, type ModelHost } from "./embedded-model.ts";
import { longestMemoryBytes, pageBytes } from "./executor/heap.ts";
import { findOnnxRuntime, hasOnnxRuntime, installCommand } from "./native/find-onnx-runtime.ts";
import { packTokens } from "./pack-rows.ts";
import type { ExecutorName, ModelFacts } from "./thread/protocol.ts";
import { ThreadClient } from "./thread/thread-client.ts";

export { embeddedCapabilities as capabilities } from "./capabilities.ts";

export interface EmbeddedEngineOptions {
  /** Threads that compute. Results do not depend on it. Default: one per core. */
  readonly threadCount?: number;
  /**
   * `wasm` runs everywhere and is the default. `native` needs the package onnxruntime-node and is faster for
   * models of about a million parameters and more; its numbers differ within the rounding of float32, which
   * compounds over a run, so it is never chosen silently.
   */
  readonly executor?: ExecutorName;
  /**
   * The most memory for models, versions, gradients, caches and scratch. A call that needs more fails with
   * `memory-exhausted` and changes nothing. In whole pages of 64 KiB, at least one. Default: 4 GiB, the most that there can be.
   */
  readonly memoryLimitBytes?: number;
}

/** What executes the arithmetic, the usual one first: `embedded:native` chooses the other. */
export interface EmbeddedExecutor {
  readonly name: ExecutorName;
  readonly capabilities: ReadonlySet<Capability>;
  /** What has to be typed before it starts here; null where nothing has. */
  setUpCommand(): string | null;
}

export const executors: readonly EmbeddedExecutor[] = [
  { name: "wasm", capabilities: embeddedCapabilities, setUpCommand: () => null },
  {
    name: "native",
    capabilities: nativeCapabilities,
    setUpCommand: () => (hasOnnxRuntime() ? null : installCommand),
  },
];

/**
 * Starts an embedded engine. Its thread ends with `close`.
 *
 * @throws `package-missing` where the native executor's package is not installed
 */
export function createEngine(options: EmbeddedEngineOptions = {}): EmbeddedEngine {
  return new EmbeddedEngine(options);
}

export class EmbeddedEngine implements Engine, ModelHost {
  readonly description: EngineDescription;
  readonly capabilities: ReadonlySet<Capability>;
  readonly client: ThreadClient;
  private readonly names = new Set<string>();
  private readonly versions = new Map<string, ModelFacts>();

  constructor(options: EmbeddedEngineOptions) {
    const { threadCount = availableParallelism(), executor = "wasm" } = options;
    const { memoryLimitBytes = longestMemoryBytes } = options;
    if (!Number.isSafeInteger(threadCount) || threadCount < 1) {
      throw engineError("invalid-input", `threadCount: expected a positive integer, got ${threadCount}`);
    }
    if (!(memoryLimitBytes >= pageBytes && memoryLimitBytes <= longestMemoryBytes)) {
      const range = `${pageBytes} to ${longestMemoryBytes}`;
      throw engineError("invalid-input", `memoryLimitBytes: expected ${range}, got ${memoryLimitBytes}`);
    }
    const runtimeVersion = executor === "native" ? findOnnxRuntime() : null;
    this.client = new ThreadClient({ threadCount, executor, memoryLimitBytes });
    this.capabilities = executor === "native" ? nativeCapabilities : embeddedCapabilities;
    this.description = {
      id: "embedded",
      executor: executor === "native" ? "onnxruntime" : "wasm",
      precision: "float32",
      threadCount,
      software: `spar embedded engine 1, @jax-js/jax 0.1${runtimeVersion === null ? "" : `, onnxruntime ${runtimeVersion}`}`,
    };
  }

  async createModel(options: CreateModelOptions, call?: CallOptions): Promise<Model> {
    const { name, from, tuning, tokenizer } = options;
    this.client.checkOpen();
    if (this.names.has(name)) {
      throw engineError("invalid-input", `expected a name that no live model has, got ${name}`, {
        hint: "choose another name, or release the other model first",
      });
    }
    // A name of the hub is no folder: this engine fetches nothing.
    if (from.kind === "base" && !existsSync(from.nameOrFolder))
      throw capabilityMissing("embedded", "hub-models");
    this.names.add(name);
    try {
      const facts = await this.client.call({
        name: "createModel",
        arguments: { name, from, tuning, tokenizer, head: options.head },
        call,
      });
      return new EmbeddedModel(this, name, facts);
    } catch (thrown) {
      this.names.delete(name);
      throw thrown;
    }
  }

  async sample(version: PolicyVersion, request: SampleRequest, call?: CallOptions): Promise<SampleResponse> {
    const facts = this.find(version);
    const prompt = packTokens(request.prompt);
    checkSampleRequest(request, facts);
    const { parameters } = request;
    if ((parameters.stopStrings ?? []).length > 0 && !facts.hasTokenizer) {
      throw engineError("invalid-input", "stopStrings need a model with a tokenizer, this one has none");
    }
    const count = request.count ?? 1;
    const includePromptLogprobs = request.includePromptLogprobs === true;
    const given = { address: version.address, prompt, count, parameters, includePromptLogprobs };
    return this.client.call({ name: "sample", arguments: given, call });
  }

  async computeLogprobs(
    version: PolicyVersion,
    inputs: readonly (readonly Chunk[])[],
    call?: CallOptions,
  ): Promise<Float32Array[]> {
    return this.score("computeLogprobs", version, inputs, call);
  }

  async computeValues(
    version: PolicyVersion,
    inputs: readonly (readonly Chunk[])[],
    call?: CallOptions,
  ): Promise<Float32Array[]> {
    if (!this.find(version).hasValueHead) {
      throw engineError(
        "invalid-input",
        `expected a version of a model with a value head, got ${version.address}`,
      );
    }
    return this.score("computeValues", version, inputs, call);
  }

  async embed(
    version: PolicyVersion,
    inputs: readonly (readonly Chunk[])[],
    call?: CallOptions,
  ): Promise<Float32Array[]> {
    return this.score("embed", version, inputs, call);
  }

  imagePositions(): number {
    throw capabilityMissing("embedded", "images");
  }

  async releaseVersion(version: PolicyVersion, call?: CallOptions): Promise<void> {
    this.find(version);
    this.versions.delete(version.address);
    await this.client.call({ name: "releaseVersion", arguments: { address: version.address }, call });
  }

  /** Bytes of tensors that are alive; what the test of flat memory watches. */
  async measureMemory(call?: CallOptions): Promise<{ readonly tensorBytes: number }> {
    return this.client.call({ name: "measureMemory", arguments: {}, call });
  }

  async close(): Promise<void> {
    await this.client.close();
  }

  published(version: PolicyVersion, facts: ModelFacts): void {
    this.versions.set(version.address, facts);
  }

  released(name: string): void {
    this.names.delete(name);
  }

  private async score(
    name: "computeLogprobs" | "computeValues" | "embed",
    version: PolicyVersion,
    inputs: readonly (readonly Chunk[])[],
    call: CallOptions | undefined,
  ): Promise<Float32Array[]> {
    const facts = this.find(version);
    const packed = inputs.map((chunks, index) => {
      const ids = packTokens(chunks);
      checkChunks(chunks, facts, `input ${index}`);
      return ids;
    });
    return this.client.call({ name, arguments: { address: version.address, inputs: packed }, call });
  }

  private find(version: PolicyVersion): ModelFacts {
    this.client.checkOpen();
    const facts = this.versions.get(version.address);
    if (facts !== undefined) return facts;
    throw engineError("version-unknown", `expected a published version, got ${version.address}`, {
      hint: "it was released, or another engine published it",
    });
  }
}
