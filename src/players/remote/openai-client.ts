/**
 * Loads the optional package `openai`, narrowed to the one request that is made with it. Nothing of
 * the surroundings steers it: address and key are given, its retries and its log are off, since the
 * player's own pauses end with their signal.
 */
import type { OpenAI } from "openai";
import { messageOf } from "../../base/index.ts";
import { playerError } from "../player-errors.ts";
import type { RemotePlace } from "./remote-errors.ts";

/** Sends one chat completion; resolves to whatever JSON the server answered. */
export type SendChat = (body: Readonly<Record<string, unknown>>, signal: AbortSignal) => Promise<unknown>;

type OpenAiModule = { readonly OpenAI: typeof OpenAI };

/** Longer than any wait: the deadline of the call is the one that counts. */
const clientTimeoutMs = 2 ** 31 - 1;

/** More than any reply; a server that never ends must not fill the memory. */
const longestAnswerBytes = 16 * 2 ** 20;

/** @throws `package-missing` */
export async function connect(
  { baseUrl, apiKey }: RemotePlace,
  load: () => Promise<OpenAiModule> = () => import("openai"),
): Promise<SendChat> {
  const module = await load().catch((thrown: unknown) => {
    throw playerError("package-missing", `remote players need the package openai: ${messageOf(thrown)}`, {
      hint: "install it: npm install openai",
      cause: thrown,
    });
  });
  const client = new module.OpenAI({
    baseURL: baseUrl,
    apiKey: apiKey ?? "none",
    adminAPIKey: null,
    organization: null,
    project: null,
    webhookSecret: null,
    maxRetries: 0,
    timeout: clientTimeoutMs,
    logLevel: "off",
    fetch: boundedFetch,
    // Servers of one's own mostly want no key, and some refuse a wrong one.
    ...(apiKey === null ? { defaultHeaders: { Authorization: null } } : {}),
  });
  return (body, signal) => client.post("/chat/completions", { body, signal });
}

async function boundedFetch(
  ...[input, init]: Parameters<typeof globalThis.fetch>
): ReturnType<typeof globalThis.fetch> {
  const response = await fetch(input, init);
  if (response.body === null) return response;
  let byteCount = 0;
  const bound = new TransformStream<Uint8Array, Uint8Array>({
    transform: (chunk, controller) => {
      byteCount += chunk.byteLength;
      if (byteCount <= longestAnswerBytes) controller.enqueue(chunk);
      else controller.error(answerTooLong());
    },
  });
  const { status, statusText, headers } = response;
  return new Response(response.body.pipeThrough(bound), { status, statusText, headers });
}

function answerTooLong(): Error {
  return playerError(
    "remote-unreadable",
    `expected an answer of at most ${longestAnswerBytes} bytes, got more`,
    { hint: "ask for fewer tokens, or mend the server" },
  );
}
