/**
 * A seat filled by a model behind the OpenAI-compatible chat protocol: a judge, a teacher, a strong
 * opponent, another spar. It leaves text only. The key is sent to the server and goes nowhere else,
 * neither into records nor into messages. Knows no rules.
 */
import { mapBounded, withDeadline, type CallOptions } from "../../base/index.ts";
import type { PlayerReference, TurnSampling } from "../../records/index.ts";
import { cutBeforeStop } from "../cut-before-stop.ts";
import type { Player, PlayerReply, PlayerRequest } from "../player.ts";
import { playerError } from "../player-errors.ts";
import { textReply } from "../text-reply.ts";
import { complete, type Completion } from "./chat-completion.ts";
import { chatMessages } from "./chat-messages.ts";
import { connect, type SendChat } from "./openai-client.ts";
import type { RemotePlace } from "./remote-errors.ts";

export interface RemotePlayerOptions {
  /** Of the protocol's root, which mostly ends in /v1: `http://localhost:8000/v1`. */
  readonly baseUrl: string;
  /** As the server calls it. */
  readonly model: string;
  /** Left out or null where the server wants none. */
  readonly apiKey?: string | null;
  /** In records; default: the name of the model. */
  readonly name?: string;
  /** The longest reply; a game may ask for less. Default 1024. */
  readonly maxTokens?: number;
  /** Default 1. */
  readonly temperature?: number;
  /** Default 1. */
  readonly topP?: number;
  /** `max_completion_tokens` for servers that refuse the older name. Default `max_tokens`. */
  readonly maxTokensField?: "max_tokens" | "max_completion_tokens";
  /**
   * `one-request` asks for all siblings at once, which is cheaper where the server can count; what it
   * leaves out is asked for singly. Default `several-requests`.
   */
  readonly siblings?: "one-request" | "several-requests";
  /** Whether requests carry a seed; some servers refuse it. Default true. */
  readonly hasSeed?: boolean;
  /** Tries after a failure that may pass: 429, 5xx, no connection. Default 4. */
  readonly retryCount?: number;
  /** Before the first of them; doubles each time, up to 30 s. Default 500. */
  readonly retryDelayMs?: number;
}

const defaultTimeoutMs = 300_000;
const siblingConcurrency = 8;

/**
 * Makes a player of a remote model; nothing is connected before its first reply.
 *
 * @throws `remote-address` where the address or the key cannot be sent
 */
export function remotePlayer(options: RemotePlayerOptions): Player {
  const place = placeOf(options);
  const reference: PlayerReference = { kind: "remote", name: options.name ?? options.model, version: null };
  let connection: Promise<SendChat> | null = null;
  return {
    reference,
    reply: (request, call) => {
      const what = `the reply of the remote player ${reference.name}`;
      const timeoutMs = call.timeoutMs ?? defaultTimeoutMs;
      return withDeadline({ boundary: "player", what, timeoutMs, ...signalOf(call) }, async (signal) => {
        connection ??= connect(place);
        return askAll(options, { place, send: await connection, request, signal });
      });
    },
  };
}

interface Asked {
  readonly place: RemotePlace;
  readonly send: SendChat;
  readonly request: PlayerRequest;
  readonly signal: AbortSignal;
}

async function askAll(options: RemotePlayerOptions, asked: Asked): Promise<PlayerReply[]> {
  const { count } = asked.request;
  const together =
    options.siblings === "one-request" && count > 1 ? await ask(options, asked, { first: 0, count }) : [];
  const missing = Array.from({ length: count }, (_value, index) => index).slice(together.length);
  const singly = await mapBounded(missing, siblingConcurrency, async (first) =>
    ask(options, asked, { first, count: 1 }),
  );
  return [...together, ...singly.flat()].slice(0, count);
}

/** As many replies as one request brought, at most `count`, at least one. */
async function ask(
  options: RemotePlayerOptions,
  { place, send, request, signal }: Asked,
  siblings: { readonly first: number; readonly count: number },
): Promise<PlayerReply[]> {
  const sampling = samplingOf(options, request, siblings.first);
  const { retryCount = 4, retryDelayMs = 500 } = options;
  const completions = await complete({
    send,
    place,
    signal,
    retries: { retryCount, retryDelayMs },
    body: {
      model: options.model,
      messages: chatMessages(request),
      temperature: sampling.temperature,
      top_p: sampling.topP,
      [options.maxTokensField ?? "max_tokens"]: sampling.maxTokens,
      ...(options.hasSeed === false ? {} : { seed: sampling.seed }),
      ...(request.stopStrings.length === 0 ? {} : { stop: request.stopStrings }),
      ...(siblings.count === 1 ? {} : { n: siblings.count }),
    },
  });
  return completions.slice(0, siblings.count).map((completion) => replyOf(completion, { request, sampling }));
}

function samplingOf(
  options: RemotePlayerOptions,
  request: PlayerRequest,
  siblingIndex: number,
): TurnSampling {
  const { maxTokens = 1024, temperature = 1, topP = 1 } = options;
  return {
    temperature,
    topP,
    topK: 0,
    maxTokens: Math.max(1, Math.min(maxTokens, request.maxTokens ?? maxTokens)),
    // Siblings that are asked for singly must not be the same reply.
    seed: (request.seed + siblingIndex) % 2 ** 31,
  };
}

function replyOf(
  { text, isCut }: Completion,
  { request, sampling }: { readonly request: PlayerRequest; readonly sampling: TurnSampling },
): PlayerReply {
  const { force, stopStrings } = request;
  // Some servers repeat the beginning that they were given, some go on after it.
  const whole = force === null || text.startsWith(force) ? text : force + text;
  return {
    ...textReply(cutBeforeStop(whole, stopStrings)),
    finishReason: isCut ? "length" : "stop",
    sampling,
  };
}

/** @throws `remote-address` */
function placeOf({ baseUrl, model, apiKey = null }: RemotePlayerOptions): RemotePlace {
  const url = URL.canParse(baseUrl) ? new URL(baseUrl) : null;
  if (url === null || !/^https?:$/u.test(url.protocol)) {
    throw playerError("remote-address", `expected an address that begins with http, got "${baseUrl}"`, {
      hint: "give the root of the protocol, such as http://localhost:8000/v1",
    });
  }
  if (url.username !== "" || url.password !== "") {
    throw playerError("remote-address", `the address of ${url.host} holds a user name or a password`, {
      hint: "give the key by itself, so that it stays out of records and messages",
    });
  }
  if (apiKey !== null && !/^[\x21-\x7e]+$/u.test(apiKey)) {
    throw playerError("remote-address", "the key holds characters that cannot be sent, or is empty", {
      hint: "check it for line ends and blanks; leave it out where the server wants none",
    });
  }
  return { baseUrl: baseUrl.replace(/\/+$/u, ""), model, apiKey };
}

function signalOf({ signal }: CallOptions): CallOptions {
  return signal === undefined ? {} : { signal };
}
