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
    // Servers of one's own mostly want no key, and some refuse a wrong one.
    ...(apiKey === null ? { defaultHeaders: { Authorization: null } } : {}),
  });
  return (body, signal) => client.post("/chat/completions", { body, signal });
}
