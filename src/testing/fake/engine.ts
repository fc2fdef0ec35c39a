/**
 * `createFakeEngine`: a real small implementation of the engine contract in float64, for tests of
 * everything that stands on an engine. It passes `describeEngine`, learns, and can be told to be
 * slow, to fail, to hang, to lose answers, to perturb log-probabilities and to forget a refresh.
 */
import { sha256, type CallOptions } from "../../base/index.ts";
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
  type PublishOptions,
  type SampleRequest,
  type SampleResponse,
} from "../../contract/index.ts";
import { loadTokenizer } from "../../text/index.ts";
import { systemTimer, type Timer } from "../timer.ts";
import { Batcher, type BatchOptions } from "./batcher.ts";
import { FakeCalls, type CallContext, type FakeCall } from "./calls.ts";
import { fakeCapabilities } from "./capabilities.ts";
import type { FakeState } from "./checkpoint.ts";
import type { FakeCallKind, FakeFault } from "./faults.ts";
import { initialState, type Published } from "./initial-state.ts";
import { imagePositionCount } from "./layout.ts";
import { FakeModel, type FakeModelHost } from "./model.ts";
import { forwardPass, positionInputs, type Network } from "./network.ts";
import { sampleSequences, scorePrompt } from "./sample.ts";

export interface FakeEngineOptions {
  /** What latencies wait on. Default real time. */
  readonly timer?: Timer;
  /** Capabilities that the fake shall not have. */
  readonly without?: readonly Capability[];
  /** How long each call takes, or each call of a kind. Default 0. */
  readonly latencyMs?: number | Readonly<Partial<Record<FakeCallKind, number>>>;
  /** Sampling answers in batches of at most `size`, each taking `durationMs`. */
  readonly sampleBatch?: BatchOptions;
  readonly faults?: readonly FakeFault[];
  /** Applies to calls without one of their own. Default 60 s. */
  readonly defaultTimeoutMs?: number;
  /** False for runs of many hours, whose calls would fill the memory. Default true. */
  readonly remembersCalls?: boolean;
}

const noBatching: BatchOptions = { size: Number.MAX_SAFE_INTEGER, durationMs: 0 };

/** Makes a fake engine. */
export function createFakeEngine(options: FakeEngineOptions = {}): FakeEngine {
  return new FakeEngine(options);
}

export class FakeEngine implements Engine, FakeModelHost {
  readonly description: EngineDescription = {
    id: "fake",
    executor: "plain-typescript",
    precision: "float64",
    threadCount: 1,
    software: "spar fake engine",
  };
  readonly capabilities: ReadonlySet<Capability>;
  readonly calls: FakeCalls;
  readonly #batcher: Batcher | null;
  readonly #models = new Map<string, FakeModel>();
  readonly #published = new Map<string, Published>();
  readonly #versionCounts = new Map<string, number>();
  #modelCount = 0;

  constructor(options: FakeEngineOptions) {
    const timer = options.timer ?? systemTimer;
    const without = new Set(options.without ?? []);
    this.capabilities = new Set(fakeCapabilities.filter((capability) => !without.has(capability)));
    this.calls = new FakeCalls({
      timer,
      latencyMs: options.latencyMs ?? 0,
      faults: options.faults ?? [],
      defaultTimeoutMs: options.defaultTimeoutMs ?? 60_000,
      remembersCalls: options.remembersCalls ?? true,
    });
    this.#batcher =
      options.sampleBatch === undefined ? null : new Batcher(options.sampleBatch ?? noBatching, timer);
  }

  /** Adds a fault while the engine runs. */
  inject(fault: FakeFault): void {
    this.calls.plan.inject(fault);
  }

  /** All calls so far, in the order of submission. */
  get callLog(): readonly FakeCall[] {
    return this.calls.log;
  }

  /** Sizes of the sampling batches so far; empty without `sampleBatch`. */
  get sampleBatchSizes(): readonly number[] {
    return this.#batcher?.sizes ?? [];
  }

  async createModel(options: CreateModelOptions, call?: CallOptions): Promise<Model> {
    this.calls.checkOpen();
    if (options.head === "value") this.#need("values");
    this.#need(options.tuning?.kind === "lora" ? "lora" : "full-finetune");
    if (this.#models.has(options.name)) {
      throw engineError("invalid-input", `expected a name that no live model has, got ${options.name}`, {
        hint: "choose another name, or release the other model first",
      });
    }
    if (this.#models.size > 0) this.#need("several-models");
    return this.calls.run({ kind: "createModel", subject: options.name, call }, async () => {
      const state = await initialState(options, (version) => this.#find(version));
      this.#modelCount += 1;
      const model = new FakeModel(
        this,
        { id: `${options.name}-${this.#modelCount}`, name: options.name },
        state,
      );
      this.#models.set(options.name, model);
      return model;
    });
  }

  async sample(version: PolicyVersion, request: SampleRequest, call?: CallOptions): Promise<SampleResponse> {
    const { network, state } = this.#find(version);
    if (request.includePromptLogprobs === true) this.#need("prompt-logprobs");
    this.checkImages(request.prompt);
    checkSampleRequest(request, {
      vocabularySize: network.layout.vocabularySize,
      contextLength: state.contextLength,
    });
    const decode = decoderOf(state);
    if ((request.parameters.stopStrings ?? []).length > 0 && decode === null) {
      throw engineError("invalid-input", "stopStrings need a model with a tokenizer, this one has none");
    }
    return this.calls.run({ kind: "sample", subject: version.address, call }, async ({ signal }) => {
      await this.#batcher?.join(signal);
      return this.#perturb(sampleSequences({ network, contextLength: state.contextLength, decode }, request));
    });
  }

  async computeLogprobs(
    version: PolicyVersion,
    inputs: readonly (readonly Chunk[])[],
    call?: CallOptions,
  ): Promise<Float32Array[]> {
    return this.#score("computeLogprobs", version, inputs, call, (network, prompt) =>
      scorePrompt(network, { prompt }),
    );
  }

  async computeValues(
    version: PolicyVersion,
    inputs: readonly (readonly Chunk[])[],
    call?: CallOptions,
  ): Promise<Float32Array[]> {
    this.#need("values");
    if (this.#find(version).state.head !== "value") {
      throw engineError(
        "invalid-input",
        `expected a version of a model with a value head, got ${version.address}`,
      );
    }
    return this.#score("computeValues", version, inputs, call, (network, prompt) =>
      Float32Array.from(forwardPass(network, positionInputs(prompt)).values),
    );
  }

  async embed(
    version: PolicyVersion,
    inputs: readonly (readonly Chunk[])[],
    call?: CallOptions,
  ): Promise<Float32Array[]> {
    this.#need("embeddings");
    return this.#score("embed", version, inputs, call, (network, prompt) => {
      const { hidden } = forwardPass(network, positionInputs(prompt));
      const mean = (unit: number): number =>
        hidden.reduce((sum, row) => sum + (row[unit] ?? 0), 0) / hidden.length;
      return Float32Array.from({ length: network.layout.width }, (_unused, unit) => mean(unit));
    });
  }

  imagePositions(): number {
    this.#need("images");
    return imagePositionCount;
  }

  async releaseVersion(version: PolicyVersion, call?: CallOptions): Promise<void> {
    this.#find(version);
    return this.calls.run({ kind: "releaseVersion", subject: version.address, call }, () => {
      this.#published.delete(version.address);
    });
  }

  async close(): Promise<void> {
    this.calls.close();
    this.#models.clear();
    this.#published.clear();
  }

  register(model: FakeModel, context: CallContext, options: PublishOptions): PolicyVersion {
    const number = (this.#versionCounts.get(model.id) ?? 0) + 1;
    this.#versionCounts.set(model.id, number);
    const address = `fake:${model.id}/${number}`;
    const network = model.network();
    const earlier = this.#published.get(`fake:${model.id}/${number - 1}`);
    const isForgotten = context.fault?.kind === "forget-refresh" && earlier !== undefined;
    this.#published.set(address, {
      network: isForgotten ? earlier.network : { ...network, weights: network.weights.slice() },
      state: model.state,
      isTrainable: options.trainable === true,
    });
    const { buffer, byteOffset, byteLength } = network.weights;
    return {
      modelId: model.id,
      number,
      address,
      digest: sha256(new Uint8Array(buffer, byteOffset, byteLength)),
    };
  }

  forget(model: FakeModel): void {
    this.#models.delete(model.name);
  }

  async #score(
    kind: FakeCallKind,
    version: PolicyVersion,
    inputs: readonly (readonly Chunk[])[],
    call: CallOptions | undefined,
    scoreOne: (network: Network, prompt: readonly Chunk[]) => Float32Array,
  ): Promise<Float32Array[]> {
    const { network, state } = this.#find(version);
    inputs.forEach((prompt, row) => {
      this.checkImages(prompt);
      checkChunks(
        prompt,
        { vocabularySize: network.layout.vocabularySize, contextLength: state.contextLength },
        `input ${row}`,
      );
    });
    return this.calls.run({ kind, subject: version.address, call }, () =>
      inputs.map((prompt) => scoreOne(network, prompt)),
    );
  }

  #find(version: PolicyVersion): Published {
    this.calls.checkOpen();
    const published = this.#published.get(version.address);
    if (published === undefined) {
      throw engineError("version-unknown", `expected a published version, got ${version.address}`, {
        hint: "it was released, or another engine published it",
      });
    }
    return published;
  }

  #need(capability: Capability): void {
    if (!this.capabilities.has(capability)) throw capabilityMissing("fake", capability);
  }

  /** Images need the capability and the number of positions that `imagePositions` said. */
  checkImages(chunks: readonly Chunk[]): void {
    for (const chunk of chunks) {
      if (chunk.kind !== "image") continue;
      this.#need("images");
      if (chunk.positionCount !== imagePositionCount) {
        throw engineError(
          "invalid-input",
          `expected an image of ${imagePositionCount} positions, got ${chunk.positionCount}`,
        );
      }
    }
  }

  #perturb(response: SampleResponse): SampleResponse {
    const { perturbation } = this.calls.plan;
    if (perturbation === 0) return response;
    const sequences = response.sequences.map((sequence) => ({
      ...sequence,
      logprobs: sequence.logprobs.map(
        (logprob, index) => logprob + (index % 2 === 0 ? perturbation : -perturbation),
      ),
    }));
    return { ...response, sequences };
  }
}

function decoderOf(state: FakeState): ((tokenIds: readonly number[]) => string) | null {
  if (state.tokenizer === null) return null;
  const tokenizer = loadTokenizer(state.tokenizer);
  return (tokenIds) => tokenizer.decode(tokenIds);
}
