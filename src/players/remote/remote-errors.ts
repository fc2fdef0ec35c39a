/**
 * Whatever went wrong between us and a remote server, as an error of ours with a stable code. The key
 * never reaches a message: servers and clients like to repeat what they were sent.
 */
import { isSparError, messageOf, type SparError } from "../../base/index.ts";
import { playerError } from "../player-errors.ts";

export interface RemotePlace {
  readonly baseUrl: string;
  readonly model: string;
  readonly apiKey: string | null;
}

/** Attributes what the client threw. */
export function toRemoteError(thrown: unknown, place: RemotePlace): SparError {
  if (isSparError(thrown)) return thrown;
  const message = withoutKey(messageOf(thrown), place.apiKey);
  const status = statusOf(thrown);
  return status === null ? unreachable(message, thrown, place) : ofStatus(status, message, place);
}

/** How long the server asked us to wait; null where it did not say. @unit milliseconds */
export function retryAfterMs(thrown: unknown): number | null {
  if (typeof thrown !== "object" || thrown === null || !("headers" in thrown)) return null;
  const { headers } = thrown;
  if (!(headers instanceof Headers)) return null;
  const seconds = Number(headers.get("retry-after") ?? Number.NaN);
  return Number.isFinite(seconds) && seconds >= 0 ? seconds * 1000 : null;
}

function ofStatus(status: number, message: string, { baseUrl, model }: RemotePlace): SparError {
  const facts = { status, model };
  const said = `${baseUrl} answered ${shortened(message)}`;
  if (status === 401 || status === 403) {
    return playerError("remote-unauthorized", `the server does not accept the key: ${said}`, {
      hint: "give the key of an account that may use this model",
      facts,
    });
  }
  if (status === 404) {
    return playerError("remote-not-found", `no model "${model}" at this address: ${said}`, {
      hint: "check the name of the model and the base address, which mostly ends in /v1",
      facts,
    });
  }
  if (status === 429) {
    return playerError("remote-overloaded", `the server asks for fewer requests: ${said}`, {
      hint: "try again later, or play fewer episodes at once",
      retryable: true,
      facts,
    });
  }
  if (status === 408 || status === 409 || status >= 500) {
    return playerError("remote-failed", `the server failed: ${said}`, { retryable: true, facts });
  }
  return playerError("remote-refused", `the server refuses the request: ${said}`, {
    hint: "check what the server accepts: stop strings, seeds, length of the conversation",
    facts,
  });
}

function unreachable(message: string, thrown: unknown, { baseUrl, model }: RemotePlace): SparError {
  const reason = systemReason(thrown) ?? message;
  return playerError("remote-unreachable", `no answer from ${baseUrl}: ${shortened(reason)}`, {
    hint: "check that the server runs and that the address is right",
    retryable: true,
    facts: { model },
  });
}

/** The code of the operating system below a failed connection: ECONNREFUSED, ENOTFOUND. */
function systemReason(thrown: unknown): string | null {
  let current = thrown;
  for (let depth = 0; depth < 5; depth++) {
    if (typeof current !== "object" || current === null) return null;
    if ("code" in current && typeof current.code === "string") return reasons[current.code] ?? current.code;
    current = "cause" in current ? current.cause : null;
  }
  return null;
}

const reasons: Readonly<Record<string, string>> = {
  ECONNREFUSED: "the connection was refused",
  ECONNRESET: "the connection was cut",
  ENOTFOUND: "there is no host of this name",
};

function statusOf(thrown: unknown): number | null {
  if (typeof thrown !== "object" || thrown === null || !("status" in thrown)) return null;
  return typeof thrown.status === "number" ? thrown.status : null;
}

const longestMessage = 500;

function shortened(message: string): string {
  return message.length <= longestMessage ? message : `${message.slice(0, longestMessage)}...`;
}

function withoutKey(message: string, apiKey: string | null): string {
  return apiKey === null || apiKey === "" ? message : message.replaceAll(apiKey, "***");
}
