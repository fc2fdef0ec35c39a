/**
 * The engine contract: everything that the rest of spar may ask of the thing that holds tensors.
 * Its verbs are those of the Tinker training API, so that one recipe runs on a laptop and on a
 * cluster. An engine knows token ids, weights and losses; it knows no text rules, game, method or
 * paper.
 *
 * Calls return a promise at once. Calls on one model execute in the order of submission, so
 * `forwardBackward` and `optimStep` are sent together; gradients of successive calls add up until
 * `optimStep`. Every call takes a signal and a deadline.
 */
import type { CallOptions } from "../base/index.ts";
import type { Capability } from "./capabilities.ts";
import type { Chunk, Datum, ImageChunk } from "./inputs.ts";
import type { BuiltInLoss, CustomLoss } from "./losses.ts";
import type { ModelSource, TokenizerDefinition, Tuning } from "./models.ts";
import type { OptimizerParameters } from "./optimizers.ts";
import type { SampleRequest, SampleResponse } from "./sampling.ts";
import type { PolicyVersion } from "./versions.ts";

export interface Engine {
  readonly description: EngineDescription;
  readonly capabilities: ReadonlySet<Capability>;

  /** @throws `capability-missing`, `invalid-input` (architecture, seed), `state-unreadable` */
  createModel(options: CreateModelOptions, call?: CallOptions): Promise<Model>;

  /** Samples from a published version. Requests of concurrent callers are merged into batches. */
  sample(version: PolicyVersion, request: SampleRequest, call?: CallOptions): Promise<SampleResponse>;

  /**
   * Log-probability of each position of each input given those before it.
   *
   * @shape per input of n positions: `[n - 1]`; 0 where the position belongs to an image
   */
  computeLogprobs(
    version: PolicyVersion,
    inputs: readonly (readonly Chunk[])[],
    call?: CallOptions,
  ): Promise<Float32Array[]>;

  /** Entry i = the value head after position i. Needs `values`. */
  computeValues(
    version: PolicyVersion,
    inputs: readonly (readonly Chunk[])[],
    call?: CallOptions,
  ): Promise<Float32Array[]>;

  /** The mean of the last hidden layer over positions. Needs `embeddings`. */
  embed(
    version: PolicyVersion,
    inputs: readonly (readonly Chunk[])[],
    call?: CallOptions,
  ): Promise<Float32Array[]>;

  /** The number of positions that an image occupies on this engine. Needs `images`. */
  imagePositions(image: Omit<ImageChunk, "positionCount">): number;

  /** Forgets a published version; later calls with it fail with `version-unknown`. */
  releaseVersion(version: PolicyVersion, call?: CallOptions): Promise<void>;

  /** Ends every call with `aborted`, frees everything; the process can then exit. Idempotent. */
  close(): Promise<void>;
}

export interface EngineDescription {
  /** The registry id: `embedded`, `tinker`. */
  readonly id: string;
  /** What executes the arithmetic: `wasm`, `onnxruntime`, `webgpu`, a server's name. */
  readonly executor: string;
  readonly precision: "float64" | "float32" | "bfloat16";
  readonly threadCount: number;
  /** The version of the software that computes, for the run folder. */
  readonly software: string;
}

export interface CreateModelOptions {
  /** For messages, logs and version ids; unique among the models that are alive. */
  readonly name: string;
  readonly from: ModelSource;
  /** Default: all weights. */
  readonly tuning?: Tuning;
  /** `value` adds a scalar head; needs `values`. Default `policy`. */
  readonly head?: "policy" | "value";
  /** Needed for stop strings; saved and exported with the model. */
  readonly tokenizer?: TokenizerDefinition;
}

export interface Model {
  readonly id: string;
  readonly name: string;
  /** The longest input, in positions. */
  readonly contextLength: number;
  readonly vocabularySize: number;
  readonly parameterCount: number;
  readonly trainableParameterCount: number;

  /**
   * Log-probabilities of the targets under the current weights; no gradient is kept.
   *
   * @shape per datum: `[T]`
   */
  forward(data: readonly Datum[], call?: CallOptions): Promise<ForwardResult>;

  /** Adds the gradient of a built-in loss to what has accumulated. */
  forwardBackward(
    data: readonly Datum[],
    loss: BuiltInLoss,
    call?: CallOptions,
  ): Promise<ForwardBackwardResult>;

  /**
   * The same for a custom loss. It reserves its place in the model's queue: later calls wait for
   * it, also where it takes two passes.
   */
  forwardBackwardCustom(
    data: readonly Datum[],
    loss: CustomLoss,
    call?: CallOptions,
  ): Promise<ForwardBackwardResult>;

  /** Applies what has accumulated and clears it. Without gradients: `invalid-input`. */
  optimStep(parameters: OptimizerParameters, call?: CallOptions): Promise<OptimStepResult>;

  /** Drops what has accumulated. Needs `discard-gradients`. */
  discardGradients(call?: CallOptions): Promise<void>;

  /** Makes the current weights a new immutable version for sampling and scoring. */
  publish(options?: PublishOptions, call?: CallOptions): Promise<PolicyVersion>;

  /**
   * Writes weights, optimizer state and step count into a folder that must not exist yet; complete
   * or absent afterwards, never half there.
   */
  save(folder: string, call?: CallOptions): Promise<SavedState>;

  /** Continues from a saved state; drops accumulated gradients. @throws `state-unreadable` */
  load(folder: string, options?: LoadOptions, call?: CallOptions): Promise<void>;

  /**
   * Writes weights (adapters merged), configuration and tokenizer in the hub's formats into a
   * folder that must not exist yet.
   */
  export(folder: string, call?: CallOptions): Promise<void>;

  /** Frees the model; its published versions stay until they are released. Idempotent. */
  release(call?: CallOptions): Promise<void>;
}

export interface PublishOptions {
  /**
   * True where a model will be made from this version later. Some servers must save the state for
   * that, since weights for sampling cannot be trained from. Default false.
   */
  readonly trainable?: boolean;
}

export interface LoadOptions {
  /** False starts a new optimizer on the loaded weights. Default true. */
  readonly includeOptimizer?: boolean;
}

export interface ForwardResult {
  readonly logprobs: readonly Float32Array[];
}

export interface ForwardBackwardResult extends ForwardResult {
  /** The loss summed over the batch. */
  readonly loss: number;
  readonly metrics: Readonly<Record<string, number>>;
}

export interface OptimStepResult {
  /** Global L2 norm before clipping, where the engine reports it. */
  readonly gradientNorm: number | null;
  /** Optimizer steps of this model so far. */
  readonly stepCount: number;
}

export interface SavedState {
  readonly folder: string;
  readonly bytes: number;
  readonly digest: string | null;
}
