/** The engine contract on a server of the Tinker wire. Computes nothing itself but gradients of custom losses. */
import { isSparError, mapBounded, type CallOptions } from "../../base/index.ts";
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
import { loadTokenizer } from "../../text/index.ts";
import { Checkpoints } from "./client/checkpoints.ts";
import type { Connection } from "./client/connection.ts";
import { Samplers } from "./client/samplers.ts";
import { score, type ScoreOutput } from "./client/scores.ts";
import { createTrainingModel, type TrainingModel } from "./client/training-model.ts";
import { wireChunks } from "./losses/encode-loss.ts";
import { sizesOfFolder } from "./folder-sizes.ts";
import { newModelOptions, startOf } from "./model-origin.ts";
import type { EngineHost, PublishedVersion } from "./published.ts";
import { responseOf, wireRequest } from "./sample-request.ts";
import { hasValueHead, type ModelOrigin } from "./state-folder.ts";
import { TinkerModel } from "./tinker-model.ts";

/** Where a server does not say how large something is. */
const unknownSize: number = 2 ** 31 - 1;
const scoresAtOnce = 64;

/** Who started the server for this engine alone, and ends it. */
export interface ServerOwner {
  /** What the engine is called then. */
  readonly engineId: string;
  readonly threadCount: number;
  /** Idempotent. */
  stop(): Promise<void>;
}

export class TinkerEngine implements Engine, EngineHost {
  readonly description: EngineDescription;
  readonly capabilities: ReadonlySet<Capability>;
  readonly connection: Connection;
  readonly #samplers: Samplers;
  readonly #checkpoints: Checkpoints;
  readonly #owner: ServerOwner | null;
  readonly #names = new Set<string>();
  readonly #versions = new Map<string, PublishedVersion>();
  readonly #latest = new Map<string, string>();

  constructor(
    connection: Connection,
    options: {
      readonly capabilities: ReadonlySet<Capability>;
      /** Where the server does not say it. */
      readonly precision: EngineDescription["precision"];
      /** Where the server was started for this engine. */
      readonly owner?: ServerOwner;
    },
  ) {
    const { profile, server } = connection;
    this.connection = connection;
    this.capabilities = options.capabilities;
    this.#samplers = new Samplers(connection);
    this.#checkpoints = new Checkpoints(connection);
    this.#owner = options.owner ?? null;
    this.description = {
      id: this.#owner?.engineId ?? "tinker",
      executor: server.spar?.executor ?? profile.id,
      precision: server.spar?.precision ?? options.precision,
      threadCount: this.#owner?.threadCount ?? 1,
      software: server.spar?.software ?? profile.title,
    };
  }

  async createModel(options: CreateModelOptions, call: CallOptions = {}): Promise<Model> {
    const { name } = options;
    this.connection.checkOpen();
    if (this.#names.has(name)) {
      throw engineError("invalid-input", `expected a name that no live model has, got ${name}`, {
        hint: "choose another name, or release the other model first",
      });
    }
    if (this.#names.size > 0 && !this.capabilities.has("several-models"))
      throw capabilityMissing("tinker", "several-models");
    this.#names.add(name);
    try {
      return await this.#create(options, call);
    } catch (thrown) {
      this.#names.delete(name);
      throw thrown;
    }
  }

  async sample(
    version: PolicyVersion,
    request: SampleRequest,
    call: CallOptions = {},
  ): Promise<SampleResponse> {
    const { sizes, baseModel, extension } = this.#find(version).origin;
    this.#refuseReplaced(version);
    if (request.includePromptLogprobs === true) this.#need("prompt-logprobs");
    this.#refuseImages(request.prompt);
    checkSampleRequest(request, sizes);
    const hasTokenizer = baseModel !== "" || "tokenizer" in extension;
    const wire = wireRequest(request, { profile: this.connection.profile, sizes, hasTokenizer });
    const output = await this.#samplers.sample({ kind: "weights", path: version.address }, wire, call);
    return responseOf(output, request);
  }

  async computeLogprobs(
    version: PolicyVersion,
    inputs: readonly (readonly Chunk[])[],
    call: CallOptions = {},
  ): Promise<Float32Array[]> {
    const { sizes } = this.#find(version).origin;
    this.#need("prompt-logprobs");
    inputs.forEach((chunks, index) => {
      this.#refuseImages(chunks);
      checkChunks(chunks, sizes, `input ${index}`);
    });
    return mapBounded(inputs, scoresAtOnce, async (prompt) => {
      const parameters = { maxTokens: 1, seed: 0 };
      const response = await this.sample(version, { prompt, parameters, includePromptLogprobs: true }, call);
      return response.promptLogprobs ?? new Float32Array();
    });
  }

  async computeValues(
    version: PolicyVersion,
    inputs: readonly (readonly Chunk[])[],
    call: CallOptions = {},
  ): Promise<Float32Array[]> {
    this.#need("values");
    if (!hasValueHead(this.#find(version).origin)) {
      throw engineError(
        "invalid-input",
        `expected a version of a model with a value head, got ${version.address}`,
      );
    }
    return this.#score("values", version, inputs, call);
  }

  async embed(
    version: PolicyVersion,
    inputs: readonly (readonly Chunk[])[],
    call: CallOptions = {},
  ): Promise<Float32Array[]> {
    this.#need("embeddings");
    return this.#score("embedding", version, inputs, call);
  }

  imagePositions(): number {
    throw capabilityMissing("tinker", "images");
  }

  async releaseVersion(version: PolicyVersion, call: CallOptions = {}): Promise<void> {
    const { statePath } = this.#find(version);
    this.#versions.delete(version.address);
    this.#samplers.forget({ kind: "weights", path: version.address });
    if (!this.connection.profile.deletesCheckpoints) return;
    for (const path of [version.address, ...(statePath === null ? [] : [statePath])]) {
      await this.#checkpoints.delete(path, call).catch((thrown: unknown) => {
        if (!isSparError(thrown) || thrown.code !== "not-found") throw thrown;
      });
    }
  }

  async close(): Promise<void> {
    await this.connection.close();
    await this.#owner?.stop();
  }

  published(version: PolicyVersion, facts: PublishedVersion): void {
    this.#versions.set(version.address, facts);
    this.#latest.set(version.modelId, version.address);
  }

  released(name: string): void {
    this.#names.delete(name);
  }

  async #create(options: CreateModelOptions, call: CallOptions): Promise<Model> {
    const { connection, capabilities } = this;
    const start = await startOf(options, {
      connection,
      capabilities,
      find: (version) => this.#find(version),
    });
    const server = await createTrainingModel(connection, newModelOptions(start.origin), call);
    try {
      if (start.load !== null) await server.load(start.load.path, start.load.includeOptimizer, call);
      const sizes = await this.#sizesOf(server, options, start.origin.baseModel, call);
      const origin: ModelOrigin = { ...start.origin, sizes };
      return new TinkerModel({
        host: this,
        name: options.name,
        server,
        origin,
        stepCount: start.load?.stepCount ?? 0,
      });
    } catch (thrown) {
      await server.unload().catch(() => undefined);
      throw thrown;
    }
  }

  async #score(
    output: ScoreOutput,
    version: PolicyVersion,
    inputs: readonly (readonly Chunk[])[],
    call: CallOptions,
  ): Promise<Float32Array[]> {
    const { sizes } = this.#find(version).origin;
    inputs.forEach((chunks, index) => {
      this.#refuseImages(chunks);
      checkChunks(chunks, sizes, `input ${index}`);
    });
    return score(this.connection, { path: version.address, output, inputs: inputs.map(wireChunks) }, call);
  }

  /**
   * A server of ours says them; elsewhere the list of models knows the context and the tokenizer the vocabulary, or
   * both stand in the base's folder, where it is one of this machine.
   */
  async #sizesOf(
    server: TrainingModel,
    options: CreateModelOptions,
    baseModel: string,
    call: CallOptions,
  ): Promise<ModelOrigin["sizes"]> {
    const { sizes } = await server.info(call);
    if (sizes !== undefined) return sizes;
    const listed = this.connection.server.models.find(({ name }) => name === baseModel);
    const folder = await sizesOfFolder(baseModel);
    return {
      contextLength: listed?.contextLength ?? folder.contextLength ?? unknownSize,
      vocabularySize:
        folder.vocabularySize ??
        (options.tokenizer === undefined ? unknownSize : loadTokenizer(options.tokenizer).vocabularySize),
      parameterCount: 0,
      trainableParameterCount: 0,
    };
  }

  /** Where later weights take the place of earlier ones, these would answer in their name. */
  #refuseReplaced({ modelId, address, number }: PolicyVersion): void {
    if (this.connection.profile.versions !== "latest" || this.#latest.get(modelId) === address) return;
    throw engineError("version-unknown", `expected the latest version of ${modelId}, got version ${number}`, {
      hint: "this server keeps the latest weights of a model alone",
    });
  }

  #refuseImages(chunks: readonly Chunk[]): void {
    if (chunks.some(({ kind }) => kind === "image")) this.#need("images");
  }

  #need(capability: Capability): void {
    if (!this.capabilities.has(capability)) throw capabilityMissing("tinker", capability);
  }

  #find(version: PolicyVersion): PublishedVersion {
    this.connection.checkOpen();
    const facts = this.#versions.get(version.address);
    if (facts !== undefined) return facts;
    throw engineError("version-unknown", `expected a published version, got ${version.address}`, {
      hint: "it was released, or another engine published it",
    });
  }
}
