/** Failures of players that know no weights: what was asked cannot be answered by this kind of player. */
import { SparError, type ErrorFacts } from "../base/index.ts";

export type PlayerErrorCode =
  | "choices-missing"
  | "position-missing"
  | "position-unknown"
  | "input-closed"
  | "package-missing"
  | "images-unsupported"
  | "remote-address"
  | "remote-unauthorized"
  | "remote-not-found"
  | "remote-refused"
  | "remote-overloaded"
  | "remote-failed"
  | "remote-unreachable"
  | "remote-unreadable"
  | "remote-empty";

export interface PlayerErrorDetails {
  readonly hint?: string;
  readonly retryable?: boolean;
  readonly facts?: ErrorFacts;
  readonly cause?: unknown;
}

export function playerError(
  code: PlayerErrorCode,
  message: string,
  details: PlayerErrorDetails = {},
): SparError {
  return new SparError({ code, boundary: "player", message, ...details });
}
