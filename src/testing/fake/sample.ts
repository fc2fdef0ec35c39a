/** Answers one request for samples with the fake network. Knows no queues, faults or versions. */
import { createRandom, type Random } from "../../base/index.ts";
import {
  samplingDefaults,
  type SampledSequence,
  type SampleRequest,
  type SampleResponse,
} from "../../contract/index.ts";
import { drawDistribution, drawToken } from "./draw.ts";
import {
  advancePrefix,
  forwardPass,
  positionInputs,
  prefixOf,
  type Network,
  type PositionInput,
  type PrefixState,
} from "./network.ts";

export interface SampleOptions {
  readonly network: Network;
  readonly contextLength: number;
  /** Text of ids, for stop strings; null without a tokenizer. */
  readonly decode: ((tokenIds: readonly number[]) => string) | null;
}

/** Samples all siblings; sibling i draws from its own stream of the seed. */
export function sampleSequences(options: SampleOptions, request: SampleRequest): SampleResponse {
  const { network } = options;
  const inputs = positionInputs(request.prompt);
  const start = runPrompt(network, inputs);
  const random = createRandom(request.parameters.seed);
  const sequences = Array.from({ length: request.count ?? 1 }, (_unused, sibling) =>
    sampleOne(options, request, start, random.split("sibling", sibling)),
  );
  if (request.includePromptLogprobs !== true) return { sequences };
  return { sequences, promptLogprobs: logprobsOf(network, inputs) };
}

/**
 * The log-probability of each input given those before it; 0 where it belongs to an image.
 *
 * @shape `[n - 1]` for n inputs
 */
export function scorePrompt(network: Network, request: Pick<SampleRequest, "prompt">): Float32Array {
  return logprobsOf(network, positionInputs(request.prompt));
}

function logprobsOf(network: Network, inputs: readonly PositionInput[]): Float32Array {
  const { logprobs } = forwardPass(network, inputs);
  return Float32Array.from(inputs.slice(1), (input, before) =>
    input.kind === "token" ? (logprobs[before]?.[input.tokenId] ?? 0) : 0,
  );
}

interface PromptState {
  readonly prefix: PrefixState;
  readonly nextLogprobs: Float64Array;
}

function runPrompt(network: Network, inputs: readonly PositionInput[]): PromptState {
  const last = inputs.at(-1);
  if (last === undefined)
    return { prefix: prefixOf(network, []), nextLogprobs: new Float64Array(network.layout.vocabularySize) };
  const { prefix, logprobs } = advancePrefix(network, prefixOf(network, inputs.slice(0, -1)), last);
  return { prefix, nextLogprobs: logprobs };
}

function sampleOne(
  options: SampleOptions,
  request: SampleRequest,
  start: PromptState,
  random: Random,
): SampledSequence {
  const settings = { ...samplingDefaults, ...request.parameters };
  const stopTokenIds = new Set(settings.stopTokenIds ?? []);
  // The last token need not be fed, so it may lie one position beyond the context.
  const limit = Math.min(settings.maxTokens, options.contextLength - start.prefix.positionCount + 1);
  const tokenIds: number[] = [];
  const logprobs: number[] = [];
  let { prefix, nextLogprobs } = start;
  while (tokenIds.length < limit) {
    const tokenId = drawToken(drawDistribution(nextLogprobs, settings), random);
    tokenIds.push(tokenId);
    logprobs.push(nextLogprobs[tokenId] ?? 0);
    if (stopTokenIds.has(tokenId) || holdsStop(options, tokenIds, settings.stopStrings ?? [])) {
      return { tokenIds, logprobs: Float32Array.from(logprobs), finishReason: "stop" };
    }
    if (tokenIds.length === limit) break;
    const step = advancePrefix(options.network, prefix, { kind: "token", tokenId });
    prefix = step.prefix;
    nextLogprobs = step.logprobs;
  }
  return { tokenIds, logprobs: Float32Array.from(logprobs), finishReason: "length" };
}

function holdsStop(
  options: SampleOptions,
  tokenIds: readonly number[],
  stopStrings: readonly string[],
): boolean {
  if (stopStrings.length === 0 || options.decode === null) return false;
  const text = options.decode(tokenIds);
  return stopStrings.some((stop) => text.includes(stop));
}
