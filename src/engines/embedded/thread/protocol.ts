/**
 * What crosses between the caller's thread and the engine's: plain data and typed arrays. Both sides import this
 * file, and nothing else of each other.
 */
import type {
  BuiltInLoss,
  ForwardBackwardResult,
  ForwardResult,
  ModelSource,
  OptimizerParameters,
  OptimStepResult,
  PolicyVersion,
  SampleResponse,
  SamplingParameters,
  SavedState,
  TokenizerDefinition,
  Tuning,
} from "../../../contract/index.ts";
import type { PlainError } from "./plain-error.ts";

/** A datum without what the engine never reads. */
export interface TrainingRow {
  readonly tokens: Int32Array;
  readonly targets: Int32Array;
  readonly weights: Float32Array;
  readonly advantages?: Float32Array;
  readonly behaviorLogprobs?: Float32Array;
}

/** What the caller's side must know of a model to check calls before they are sent. */
export interface ModelFacts {
  readonly id: string;
  readonly contextLength: number;
  readonly vocabularySize: number;
  readonly parameterCount: number;
  readonly trainableParameterCount: number;
  readonly hasTokenizer: boolean;
  readonly hasValueHead: boolean;
}

/** Per-token outputs of a pass, or gradients with respect to them. @shape per row `[T]` */
export interface TokenArrays<Numbers> {
  readonly logprobs?: readonly Numbers[];
  readonly entropies?: readonly Numbers[];
  readonly values?: readonly Numbers[];
}

export interface SampleArguments {
  readonly address: string;
  readonly prompt: Int32Array;
  readonly count: number;
  readonly parameters: SamplingParameters;
  readonly includePromptLogprobs: boolean;
}

/** Every call with its arguments and result. */
export interface EngineCalls {
  createModel: {
    readonly arguments: {
      readonly name: string;
      readonly from: ModelSource;
      readonly tuning: Tuning | undefined;
      readonly head: "policy" | "value" | undefined;
      readonly tokenizer: TokenizerDefinition | undefined;
    };
    readonly result: ModelFacts;
  };
  forward: {
    readonly arguments: { readonly modelId: string; readonly rows: readonly TrainingRow[] };
    readonly result: ForwardResult;
  };
  forwardBackward: {
    readonly arguments: {
      readonly modelId: string;
      readonly rows: readonly TrainingRow[];
      readonly loss: BuiltInLoss;
    };
    readonly result: ForwardBackwardResult;
  };
  /** Asks the caller for gradients once it has the outputs. */
  forwardBackwardCustom: {
    readonly arguments: {
      readonly modelId: string;
      readonly rows: readonly TrainingRow[];
      readonly withEntropies: boolean;
    };
    readonly result: ForwardResult;
  };
  optimStep: {
    readonly arguments: { readonly modelId: string; readonly parameters: OptimizerParameters };
    readonly result: OptimStepResult;
  };
  discardGradients: { readonly arguments: { readonly modelId: string }; readonly result: null };
  publish: {
    readonly arguments: { readonly modelId: string; readonly trainable: boolean };
    readonly result: PolicyVersion;
  };
  save: {
    readonly arguments: { readonly modelId: string; readonly folder: string };
    readonly result: SavedState;
  };
  load: {
    readonly arguments: {
      readonly modelId: string;
      readonly folder: string;
      readonly includeOptimizer: boolean;
    };
    readonly result: null;
  };
  export: {
    readonly arguments: { readonly modelId: string; readonly folder: string };
    readonly result: null;
  };
  releaseModel: { readonly arguments: { readonly modelId: string }; readonly result: null };
  sample: { readonly arguments: SampleArguments; readonly result: SampleResponse };
  computeLogprobs: {
    readonly arguments: { readonly address: string; readonly inputs: readonly Int32Array[] };
    readonly result: Float32Array[];
  };
  computeValues: {
    readonly arguments: { readonly address: string; readonly inputs: readonly Int32Array[] };
    readonly result: Float32Array[];
  };
  embed: {
    readonly arguments: { readonly address: string; readonly inputs: readonly Int32Array[] };
    readonly result: Float32Array[];
  };
  releaseVersion: { readonly arguments: { readonly address: string }; readonly result: null };
  /** For tests: bytes of tensors that are alive. */
  measureMemory: {
    readonly arguments: Record<never, never>;
    readonly result: { readonly tensorBytes: number };
  };
}

export type EngineCallName = keyof EngineCalls;
export type ArgumentsOf<Name extends EngineCallName> = EngineCalls[Name]["arguments"];
export type ResultOf<Name extends EngineCallName> = EngineCalls[Name]["result"];

export interface CallMessage {
  readonly kind: "call";
  readonly id: number;
  readonly name: EngineCallName;
  readonly arguments: unknown;
}

/** To the engine's thread. Calls travel in groups: those that were made together arrive together. */
export type ToEngine =
  | { readonly kind: "calls"; readonly calls: readonly CallMessage[] }
  | { readonly kind: "cancel"; readonly id: number }
  | { readonly kind: "gradients"; readonly id: number; readonly gradients: TokenArrays<Float64Array> | null };

/** From the engine's thread. Answers that are ready together travel together: a message costs more than an answer. */
export type FromEngine = readonly EngineAnswer[];

export type EngineAnswer =
  | { readonly kind: "result"; readonly id: number; readonly result: unknown }
  | { readonly kind: "failure"; readonly id: number; readonly error: PlainError }
  | { readonly kind: "outputs"; readonly id: number; readonly outputs: TokenArrays<Float32Array> };

/** What computes: kernels in WebAssembly, everywhere, or ONNX Runtime where its package is installed. */
export type ExecutorName = "wasm" | "native";

export interface EngineThreadData {
  readonly threadCount: number;
  readonly executor: ExecutorName;
  /** Of the memory that models, gradients, caches and scratch share. */
  readonly memoryLimitBytes: number;
}
