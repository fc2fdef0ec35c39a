/** What is asked of a sampler and what comes back. Log-probabilities are always the model's own. */
import type { Chunk, TokenId } from "./inputs.ts";

export interface SamplingParameters {
  readonly maxTokens: number;
  /** 0 means greedy: the most likely token, ties to the lower id. Default 1. */
  readonly temperature?: number;
  /** Nucleus: the smallest set of tokens with at least this probability. Default 1. */
  readonly topP?: number;
  /** Only the k most likely tokens; 0 means all. Default 0. */
  readonly topK?: number;
  /** Sampling ends after a token of this list; it is kept in the ids, with its log-probability. */
  readonly stopTokenIds?: readonly TokenId[];
  /** Sampling ends when the decoded text holds one of these; needs a model with a tokenizer. */
  readonly stopStrings?: readonly string[];
  /** Equal seed, prompt, parameters and version give equal tokens on a deterministic engine. */
  readonly seed: number;
}

export const samplingDefaults = { temperature: 1, topP: 1, topK: 0 } as const;

export interface SampleRequest {
  readonly prompt: readonly Chunk[];
  /** Siblings of one prompt; sibling i draws from its own stream of `seed`. Default 1. */
  readonly count?: number;
  readonly parameters: SamplingParameters;
  /** Needs the capability `prompt-logprobs`. Default false. */
  readonly includePromptLogprobs?: boolean;
}

export type FinishReason = "stop" | "length" | "cancelled";

export interface SampledSequence {
  /** Every sampled id, the one that completed a stop included. */
  readonly tokenIds: readonly TokenId[];
  /**
   * Log-probability of each sampled id at temperature 1, untruncated, as `forward` would give it.
   *
   * @unit nats
   */
  readonly logprobs: Float32Array;
  readonly finishReason: FinishReason;
}

export interface SampleResponse {
  readonly sequences: readonly SampledSequence[];
  /** Entry i = log-probability of prompt position i + 1 given those before it; where it was asked for. */
  readonly promptLogprobs?: Float32Array;
}
