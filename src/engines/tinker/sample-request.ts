/** A sample request of the engine contract in the words of the wire, and the answer back. Knows no connection. */
import {
  countPositions,
  engineError,
  samplingDefaults,
  type SampledSequence,
  type SampleRequest,
  type SampleResponse,
} from "../../contract/index.ts";
import type { Profile } from "./client/profile.ts";
import type { WireSampleRequest } from "./client/samplers.ts";
import { unexpectedAnswer } from "./errors.ts";
import { wireChunks } from "./losses/encode-loss.ts";
import type { SampleOutput, WireSequence } from "./wire/data.ts";

/** What the wire needs to know of model and server. */
export interface SampleContext {
  readonly profile: Pick<Profile, "mixesStops" | "emptyStopMeansNone">;
  readonly sizes: { readonly contextLength: number };
  readonly hasTokenizer: boolean;
}

/** @throws `invalid-input` for stops that the server cannot heed */
export function wireRequest(request: SampleRequest, context: SampleContext): WireSampleRequest {
  const { parameters, count = 1 } = request;
  const room = Math.max(1, context.sizes.contextLength - countPositions(request.prompt));
  return {
    prompt: wireChunks(request.prompt),
    count,
    maxTokens: Math.min(parameters.maxTokens, room),
    seed: ((parameters.seed % 2 ** 31) + 2 ** 31) % 2 ** 31,
    temperature: parameters.temperature ?? samplingDefaults.temperature,
    topP: parameters.topP ?? samplingDefaults.topP,
    topK: parameters.topK ?? samplingDefaults.topK,
    ...stopOf(request, context),
    includePromptLogprobs: request.includePromptLogprobs === true,
  };
}

/** @throws `unexpected-answer` */
export function responseOf(output: SampleOutput, request: SampleRequest): SampleResponse {
  const { prompt, count = 1 } = request;
  if (output.sequences.length !== count)
    throw unexpectedAnswer("a sample", `${count} sequences`, `${output.sequences.length}`);
  const sequences = output.sequences.map(sequenceOf);
  if (request.includePromptLogprobs !== true) return { sequences };
  const positions = countPositions(prompt);
  const promptLogprobs = output.promptLogprobs;
  // The first token has no context: some servers leave it out.
  if (promptLogprobs?.length === positions - 1) return { sequences, promptLogprobs };
  if (promptLogprobs?.length === positions) return { sequences, promptLogprobs: promptLogprobs.slice(1) };
  throw unexpectedAnswer(
    "a sample",
    `log-probabilities of ${positions} prompt tokens`,
    promptLogprobs === null ? "none" : `${promptLogprobs?.length}`,
  );
}

function stopOf(
  { parameters }: SampleRequest,
  { profile, hasTokenizer }: SampleContext,
): Pick<WireSampleRequest, "stop" | "stopTokenIds"> {
  const { stopTokenIds = [], stopStrings = [] } = parameters;
  if (stopStrings.length > 0 && !hasTokenizer) {
    throw engineError("invalid-input", "stopStrings need a model with a tokenizer, this one has none");
  }
  if (stopStrings.length > 0 && profile.mixesStops) return { stop: stopStrings, stopTokenIds };
  if (stopStrings.length > 0 && stopTokenIds.length > 0) {
    throw engineError(
      "invalid-input",
      "expected stopStrings or stopTokenIds, got both: this wire takes one of them",
      { hint: "write the end token among the strings" },
    );
  }
  if (stopStrings.length > 0) return { stop: stopStrings };
  return { stop: stopTokenIds.length > 0 || profile.emptyStopMeansNone ? stopTokenIds : null };
}

function sequenceOf({ tokenIds, logprobs, stopReason }: WireSequence): SampledSequence {
  if (logprobs === null) throw unexpectedAnswer("a sample", "log-probabilities of its tokens", "none");
  return { tokenIds, logprobs, finishReason: stopReason };
}
