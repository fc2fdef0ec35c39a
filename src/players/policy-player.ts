/**
 * A seat filled by weights: segments become ids, the engine samples, ids become text. The ids that
 * were sampled are what is kept (promise 1). Knows no rules of a game and no method.
 */
import {
  countPositions,
  samplingDefaults,
  tokens,
  type Chunk,
  type Engine,
  type ImageChunk,
  type PolicyVersion,
  type SampledSequence,
  type SamplingParameters,
} from "../contract/index.ts";
import type { PlayerReference, Span, TurnSampling } from "../records/index.ts";
import type { PromptRenderer } from "../text/index.ts";
import { cutBeforeStop } from "./cut-before-stop.ts";
import type { Player, PlayerReply, PlayerRequest } from "./player.ts";

export interface PolicyPlayerOptions {
  readonly name: string;
  /** `live`: the policy that is being trained; `frozen`: an older version of it, or of another. */
  readonly kind: "live" | "frozen";
  readonly version: PolicyVersion;
  readonly engine: Pick<Engine, "sample">;
  readonly renderer: PromptRenderer;
  /** Of the model behind the version. @unit positions */
  readonly contextLength: number;
  /** `maxTokens` bounds every reply; a game may ask for less. */
  readonly sampling: Pick<SamplingParameters, "maxTokens" | "temperature" | "topP" | "topK">;
  readonly images?: (imageDigest: string) => ImageChunk;
}

interface RenderedAsk {
  readonly prompt: readonly Chunk[];
  readonly spans: readonly Span[];
  readonly forced: readonly number[];
  readonly startsNewContext: boolean;
}

/** Makes a player that samples from one policy version. */
export function policyPlayer(options: PolicyPlayerOptions): Player {
  const { name, kind, version, engine, contextLength } = options;
  const reference: PlayerReference = { kind, name, version };
  return {
    reference,
    reply: async (request, call) => {
      const rendered = renderAsk(options, request);
      const room = contextLength - countPositions(rendered.prompt);
      if (room < 1) return Array.from({ length: request.count }, () => ({ kind: "limit", limit: "context" }));
      const sampling = samplingOf(options, request, room);
      const response = await engine.sample(
        version,
        {
          prompt: rendered.prompt,
          count: request.count,
          parameters: parametersOf(options, request, sampling),
        },
        call,
      );
      return response.sequences.map((sequence) =>
        replyOf(options, { request, rendered, sampling, sequence }),
      );
    },
  };
}

function renderAsk(options: PolicyPlayerOptions, request: PlayerRequest): RenderedAsk {
  const { renderer, images } = options;
  const { chunks, spans, startsNewContext } = renderer.render(request.segments, {
    context: request.context,
    history: request.history,
    ...(images === undefined ? {} : { images }),
  });
  const forced = request.force === null ? [] : renderer.tokenizer.encode(request.force);
  const opened = startsNewContext ? chunks : [...request.context, ...chunks];
  return {
    prompt: forced.length === 0 ? opened : [...opened, tokens(forced)],
    spans: forced.length === 0 ? spans : [...spans, { kind: "forced", tokenIds: forced }],
    forced,
    startsNewContext,
  };
}

function samplingOf(options: PolicyPlayerOptions, request: PlayerRequest, room: number): TurnSampling {
  const { maxTokens, temperature, topP, topK } = { ...samplingDefaults, ...options.sampling };
  return {
    temperature,
    topP,
    topK,
    maxTokens: Math.min(maxTokens, request.maxTokens ?? maxTokens, room),
    seed: request.seed,
  };
}

function parametersOf(
  options: PolicyPlayerOptions,
  request: PlayerRequest,
  sampling: TurnSampling,
): SamplingParameters {
  const { stopTokenIds } = options.renderer;
  return {
    ...sampling,
    ...(stopTokenIds.length === 0 ? {} : { stopTokenIds }),
    ...(request.stopStrings.length === 0 ? {} : { stopStrings: request.stopStrings }),
  };
}

function replyOf(
  options: PolicyPlayerOptions,
  sampled: {
    readonly request: PlayerRequest;
    readonly rendered: RenderedAsk;
    readonly sampling: TurnSampling;
    readonly sequence: SampledSequence;
  },
): PlayerReply {
  const { request, rendered, sampling, sequence } = sampled;
  const text = options.renderer.decode([...rendered.forced, ...sequence.tokenIds]);
  return {
    kind: "reply",
    spans: [...rendered.spans, { kind: "sampled", tokenIds: sequence.tokenIds }],
    startsNewContext: rendered.startsNewContext,
    logprobs: sequence.logprobs,
    text: cutBeforeStop(text, request.stopStrings),
    finishReason: sequence.finishReason,
    sampling,
  };
}
