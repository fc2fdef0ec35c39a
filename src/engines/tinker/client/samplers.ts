/**
 * Sampling from saved weights or from a base model: one sampling session for each, many requests at once. A request
 * that was lost is made again, since sampling changes nothing.
 */
import type { CallOptions, JsonObject } from "../../../base/index.ts";
import { Gate } from "../transport/gate.ts";
import type { RawResult } from "../transport/futures.ts";
import { futureAnswer, parseAnswer, sampleJsonAnswer, samplingSessionAnswer } from "../wire/answers.ts";
import type { SampleOutput, WireChunk } from "../wire/data.ts";
import { chunkJson } from "../wire/pass-request.ts";
import { decodeSampleOutput } from "../wire/results.ts";
import type { Connection } from "./connection.ts";

/** What is sampled from. */
export type SampleSource =
  | { readonly kind: "weights"; readonly path: string }
  | { readonly kind: "base"; readonly name: string };

export interface WireSampleRequest {
  readonly prompt: readonly WireChunk[];
  readonly count: number;
  readonly maxTokens: number;
  readonly seed: number;
  readonly temperature: number;
  readonly topP: number;
  /** 0 for all. */
  readonly topK: number;
  /** Ids or strings; null leaves the end to the server. */
  readonly stop: readonly number[] | readonly string[] | null;
  /** Ids beside strings, on servers of ours. */
  readonly stopTokenIds?: readonly number[];
  readonly includePromptLogprobs: boolean;
}

interface Session {
  readonly id: string;
  nextNumber: number;
}

/** As many as the official SDK allows at once. */
const mostSamples = 400;
const longestQueue = 1_000_000;

export class Samplers {
  readonly #connection: Connection;
  readonly #sessions = new Map<string, Promise<Session>>();
  readonly #gate = new Gate({ what: "sampling requests", limit: mostSamples, longestQueue });

  constructor(connection: Connection) {
    this.#connection = connection;
  }

  async sample(
    source: SampleSource,
    request: WireSampleRequest,
    call: CallOptions = {},
  ): Promise<SampleOutput> {
    const what = `asample from ${source.kind === "weights" ? source.path : source.name}`;
    return this.#connection.bounded(what, call, (signal) =>
      this.#gate.run(signal, async () => readSample(await this.#sample(source, request, what, signal), what)),
    );
  }

  /** Forgets a source, so that its weights may go. */
  forget(source: SampleSource): void {
    this.#sessions.delete(keyOf(source));
  }

  async #sample(
    source: SampleSource,
    request: WireSampleRequest,
    what: string,
    signal: AbortSignal,
  ): Promise<RawResult> {
    const session = await this.#sessionOf(source);
    const value = { ...bodyOf(request), sampling_session_id: session.id, seq_id: session.nextNumber++ };
    const submit = async (): Promise<string> =>
      this.#connection.ask(futureAnswer, {
        method: "POST",
        path: "asample",
        body: { type: "json", value },
        headers: { "X-Tinker-Sampling-Backpressure": "1" },
        signal,
        canRepeat: true,
      });
    const requestId = await submit();
    const cancel = (): void => this.#connection.cancel(requestId);
    signal.addEventListener("abort", cancel, { once: true });
    try {
      return await this.#connection.result({
        requestId,
        what,
        requestType: "Sample",
        isBinary: true,
        isHarmless: true,
        resubmit: submit,
        signal,
      });
    } finally {
      signal.removeEventListener("abort", cancel);
    }
  }

  /** Shared by all requests, so it does not end with the one that asked first. */
  #sessionOf(source: SampleSource): Promise<Session> {
    const key = keyOf(source);
    const known = this.#sessions.get(key);
    if (known !== undefined) return known;
    const made = this.#open(source);
    this.#sessions.set(key, made);
    made.catch(() => this.#sessions.delete(key));
    return made;
  }

  async #open(source: SampleSource): Promise<Session> {
    const value: JsonObject = {
      session_id: this.#connection.sessionId,
      sampling_session_seq_id: this.#connection.nextSamplerNumber(),
      ...(source.kind === "weights" ? { model_path: source.path } : { base_model: source.name }),
      type: "create_sampling_session",
    };
    const id = await this.#connection.ask(samplingSessionAnswer, {
      method: "POST",
      path: "create_sampling_session",
      body: { type: "json", value },
      signal: this.#connection.closing,
      canRepeat: true,
    });
    return { id, nextNumber: 0 };
  }
}

function keyOf(source: SampleSource): string {
  return source.kind === "weights" ? source.path : `base:${source.name}`;
}

function bodyOf(request: WireSampleRequest): JsonObject {
  const { prompt, count, maxTokens, seed, temperature, topP, topK, stop, stopTokenIds = [] } = request;
  return {
    num_samples: count,
    prompt: { chunks: prompt.map(chunkJson) },
    sampling_params: {
      max_tokens: maxTokens,
      seed,
      temperature,
      top_k: topK === 0 ? -1 : topK,
      top_p: topP,
      ...(stop === null ? {} : { stop: [...stop] }),
      ...(stopTokenIds.length === 0 ? {} : { stop_token_ids: [...stopTokenIds] }),
    },
    prompt_logprobs: request.includePromptLogprobs,
    topk_prompt_logprobs: 0,
    type: "sample",
  };
}

function readSample(result: RawResult, what: string): SampleOutput {
  const where = `the result of ${what}`;
  return result.kind === "binary"
    ? decodeSampleOutput(result.bytes, where)
    : parseAnswer(sampleJsonAnswer, result.value, where);
}
