/** Failures of the sandbox as errors for people: what is missing here, and what to do. */
import { SparError, type ErrorFacts } from "../../base/index.ts";

export type SandboxErrorCode =
  | "backend-unavailable"
  | "proof-failed"
  | "sandbox-busy"
  | "sandbox-closed"
  | "invalid-limits"
  | "invalid-request";

export interface SandboxErrorDetails {
  readonly hint?: string;
  readonly facts?: ErrorFacts;
  readonly retryable?: boolean;
  readonly cause?: unknown;
}

export function sandboxError(
  code: SandboxErrorCode,
  message: string,
  details: SandboxErrorDetails = {},
): SparError {
  return new SparError({ code, boundary: "verifier", message, ...details });
}

export function sandboxClosed(): SparError {
  return sandboxError("sandbox-closed", "the Python sandbox was closed", { hint: "open another one" });
}
