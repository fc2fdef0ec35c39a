/**
 * The errors of the client: what the server said or did not say, as typed errors. A server of ours names codes of the
 * engine contract, which are passed on. Knows no endpoint.
 */
import { SparError, type ErrorFacts } from "../../base/index.ts";
import { engineError, type EngineErrorCode } from "../../contract/index.ts";

/** Codes of the client besides those of the engine contract. */
export type TinkerErrorCode =
  /** The answer is not what the wire says: another version, or another server. */
  | "unexpected-answer"
  /** The server refused the request, and will refuse it again. */
  | "request-refused"
  | "key-refused"
  /** The account of the hosted service is not paid. */
  | "payment-required"
  | "not-found"
  /** No connection, although it was tried for a while. */
  | "server-unreachable"
  /** More requests wait than may. */
  | "queue-full"
  /** The graph of a custom loss waited too long for its gradients and is gone. */
  | "graph-expired";

export interface TinkerErrorDetails {
  readonly hint?: string;
  readonly retryable?: boolean;
  readonly cause?: unknown;
  readonly facts?: ErrorFacts;
}

/** An error at the boundary to a server. */
export function tinkerError(
  code: TinkerErrorCode,
  message: string,
  details: TinkerErrorDetails = {},
): SparError {
  return new SparError({
    code,
    boundary: code === "unexpected-answer" ? "protocol" : "engine",
    message,
    ...details,
  });
}

/** What came is not what the wire promises. */
export function unexpectedAnswer(what: string, expected: string, came: string): SparError {
  return tinkerError("unexpected-answer", `${what}: expected ${expected}, got ${came}`, {
    hint: "the server may be of another version; docs/engines/tinker.md says which ones were tried",
  });
}

/** Whether the call was carried out is unknown. */
export function answerLost(what: string, cause: unknown): SparError {
  return engineError("answer-lost", `${what}: the answer was lost; whether it was carried out is unknown`, {
    hint: "go back to the last checkpoint: load a saved state",
    cause,
  });
}

const contractCodes: ReadonlySet<string> = new Set<EngineErrorCode>([
  "capability-missing",
  "invalid-input",
  "version-unknown",
  "model-released",
  "engine-failed",
  "memory-exhausted",
  "state-unreadable",
  "weights-diverged",
]);

function isContractCode(code: string): code is EngineErrorCode {
  return contractCodes.has(code);
}

export interface ServerFailure {
  readonly what: string;
  readonly message: string;
  readonly category: string;
  /** A code of ours, where the server is ours. */
  readonly code?: string | undefined;
  readonly hint?: string | undefined;
  readonly traceback?: string | undefined;
  readonly status?: number;
  /** Of a request that was given up: whether the server may have carried it out. */
  readonly mayHaveArrived?: boolean;
}

/** Work that the server gave up, as an error that says whose fault it was. */
export function serverFailure(failure: ServerFailure): SparError {
  const { what, message, category, code, hint, traceback, status, mayHaveArrived } = failure;
  const facts: ErrorFacts = {
    category,
    ...(status === undefined ? {} : { status }),
    ...(mayHaveArrived === undefined ? {} : { mayHaveArrived }),
    ...(traceback === undefined ? {} : { traceback }),
  };
  const text = `${what}: the server said: ${message}`;
  const details = { facts, ...(hint === undefined ? {} : { hint }) };
  if (code !== undefined && isContractCode(code)) return engineError(code, text, details);
  if (code === "graph-expired") return tinkerError(code, text, { ...details, retryable: true });
  if (category === "user") return tinkerError("request-refused", text, details);
  return engineError("engine-failed", text, { ...details, retryable: category === "server" });
}
