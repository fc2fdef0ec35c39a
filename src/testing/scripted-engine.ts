/**
 * `createScriptedEngine`: an engine whose samples are written down. Tests of games, players and
 * rollouts say what the model answers to which prompt and seed, and read afterwards what was asked.
 * Whatever is not scripted fails, unless another engine is given for the rest.
 */
import { throwIfAborted, withDeadline, type CallOptions } from "../base/index.ts";
import {
  engineError,
  type Capability,
  type Chunk,
  type CreateModelOptions,
  type Engine,
  type EngineDescription,
  type FinishReason,
  type ImageChunk,
  type Model,
  type PolicyVersion,
  type SampledSequence,
  type SampleRequest,
  type SampleResponse,
  type SamplingParameters,
  type TokenId,
} from "../contract/index.ts";

/** What is asked of the script: one sibling of one request. */
export interface ScriptedQuestion {
  readonly version: PolicyVersion;
  readonly prompt: readonly Chunk[];
  /** The ids of the prompt's token chunks, joined; images are left out. */
  readonly promptIds: readonly TokenId[];
  readonly siblingIndex: number;
  readonly parameters: SamplingParameters;
}

export interface ScriptedReply {
  readonly tokenIds: readonly TokenId[];
  /** Default: log(1/2) for each token. @unit nats */
  readonly logprobs?: readonly number[];
  /** Default: `length` where the reply fills `maxTokens` without a stop token, else `stop`. */
  readonly finishReason?: FinishReason;
}

/** The answer to a question, or null where the script has none. */
export type Script = (question: ScriptedQuestion) => ScriptedReply | null | Promise<ScriptedReply | null>;

/** One call on the engine, in the order of submission. */
export type ScriptedCall =
  | { readonly call: "sample"; readonly version: PolicyVersion; readonly request: SampleRequest }
  | { readonly call: Exclude<keyof Engine, "sample" | "description" | "capabilities"> };

export interface ScriptedEngineOptions {
  readonly sample: Script;
  /** Answers every other call. Without it they fail with `engine-failed`. */
  readonly rest?: Engine;
  /** False for runs of many hours, whose calls would fill the memory. Default true. */
  readonly remembersCalls?: boolean;
}

const defaultTimeoutMs = 60_000;
const defaultLogprob = Math.log(0.5);

/** Makes a scripted engine. */
export function createScriptedEngine(options: ScriptedEngineOptions): ScriptedEngine {
  return new ScriptedEngine(options);
}

/** A version for engines that look at no weights: all that matters is which one it is. */
export function scriptedVersion(name = "scripted", number = 1): PolicyVersion {
  return { modelId: name, number, address: `scripted:${name}/${number}`, digest: null };
}

export class ScriptedEngine implements Engine {
  readonly description: EngineDescription;
  readonly capabilities: ReadonlySet<Capability>;
  readonly #options: ScriptedEngineOptions;
  readonly #calls: ScriptedCall[] = [];
  readonly #closing = new AbortController();

  constructor(options: ScriptedEngineOptions) {
    this.#options = options;
    this.description = options.rest?.description ?? {
      id: "scripted",
      executor: "script",
      precision: "float64",
      threadCount: 1,
      software: "spar scripted engine",
    };
    this.capabilities =
      options.rest?.capabilities ?? new Set<Capability>(["deterministic", "batch-invariant", "cancel"]);
  }

  /** Every call so far. */
  get calls(): readonly ScriptedCall[] {
    return this.#calls;
  }

  async sample(version: PolicyVersion, request: SampleRequest, call?: CallOptions): Promise<SampleResponse> {
    this.#checkOpen();
    this.#remember({ call: "sample", version, request });
    const signals = call?.signal === undefined ? [] : [call.signal];
    const wait = {
      boundary: "engine" as const,
      what: "the answer of the scripted engine to sample",
      timeoutMs: call?.timeoutMs ?? defaultTimeoutMs,
      signal: AbortSignal.any([this.#closing.signal, ...signals]),
    };
    return withDeadline(wait, async (signal) => {
      const sequences: SampledSequence[] = [];
      for (let siblingIndex = 0; siblingIndex < (request.count ?? 1); siblingIndex++) {
        throwIfAborted(signal, wait);
        sequences.push(await this.#answer(version, request, siblingIndex));
      }
      return { sequences };
    });
  }

  async createModel(options: CreateModelOptions, call?: CallOptions): Promise<Model> {
    return this.#rest("createModel", options.name).createModel(options, call);
  }

  async computeLogprobs(
    version: PolicyVersion,
    inputs: readonly (readonly Chunk[])[],
    call?: CallOptions,
  ): Promise<Float32Array[]> {
    return this.#rest("computeLogprobs", version.address).computeLogprobs(version, inputs, call);
  }

  async computeValues(
    version: PolicyVersion,
    inputs: readonly (readonly Chunk[])[],
    call?: CallOptions,
  ): Promise<Float32Array[]> {
    return this.#rest("computeValues", version.address).computeValues(version, inputs, call);
  }

  async embed(
    version: PolicyVersion,
    inputs: readonly (readonly Chunk[])[],
    call?: CallOptions,
  ): Promise<Float32Array[]> {
    return this.#rest("embed", version.address).embed(version, inputs, call);
  }

  imagePositions(image: Omit<ImageChunk, "positionCount">): number {
    return this.#rest("imagePositions", `${image.widthPixels} x ${image.heightPixels} pixels`).imagePositions(
      image,
    );
  }

  async releaseVersion(version: PolicyVersion, call?: CallOptions): Promise<void> {
    return this.#rest("releaseVersion", version.address).releaseVersion(version, call);
  }

  async close(): Promise<void> {
    this.#closing.abort();
    await this.#options.rest?.close();
  }

  async #answer(
    version: PolicyVersion,
    request: SampleRequest,
    siblingIndex: number,
  ): Promise<SampledSequence> {
    const promptIds = request.prompt.flatMap((chunk) => (chunk.kind === "tokens" ? [...chunk.tokenIds] : []));
    const { parameters, prompt } = request;
    const reply = await this.#options.sample({ version, prompt, promptIds, siblingIndex, parameters });
    if (reply === null) {
      throw unscripted(
        `sample for the prompt [${promptIds.join(", ")}] with seed ${parameters.seed}, sibling ${siblingIndex}`,
      );
    }
    return sequenceOf(reply, parameters);
  }

  #rest(call: Exclude<ScriptedCall["call"], "sample">, about: string): Engine {
    this.#checkOpen();
    this.#remember({ call });
    if (this.#options.rest === undefined) throw unscripted(`${call} (${about})`);
    return this.#options.rest;
  }

  #remember(call: ScriptedCall): void {
    if (this.#options.remembersCalls !== false) this.#calls.push(call);
  }

  #checkOpen(): void {
    if (this.#closing.signal.aborted)
      throw engineError("engine-closed", "expected an open engine, this one was closed");
  }
}

/** A reply as a sampler would give it: cut at `maxTokens`, with one log-probability per token. */
function sequenceOf(reply: ScriptedReply, parameters: SamplingParameters): SampledSequence {
  const logprobs = reply.logprobs ?? reply.tokenIds.map(() => defaultLogprob);
  if (logprobs.length !== reply.tokenIds.length) {
    throw engineError(
      "engine-failed",
      `expected ${reply.tokenIds.length} scripted log-probabilities, got ${logprobs.length}`,
    );
  }
  const tokenIds = reply.tokenIds.slice(0, parameters.maxTokens);
  const isCut = reply.tokenIds.length > parameters.maxTokens;
  const last = tokenIds.at(-1);
  const isStopped = last !== undefined && (parameters.stopTokenIds ?? []).includes(last);
  const natural: FinishReason = tokenIds.length === parameters.maxTokens && !isStopped ? "length" : "stop";
  return {
    tokenIds,
    logprobs: Float32Array.from(logprobs.slice(0, parameters.maxTokens)),
    finishReason: isCut ? "length" : (reply.finishReason ?? natural),
  };
}

function unscripted(what: string): Error {
  return engineError("engine-failed", `the script has no answer to ${what}`, {
    hint: "add it to the script of this test",
  });
}
