/** Errors of runs and recipes, with their codes in one place. */
import { SparError, type ErrorFacts } from "../base/index.ts";

export type TrainErrorCode =
  | "run-changed"
  | "run-failed"
  | "name-taken"
  | "invalid-name"
  | "outside-step"
  | "step-nested"
  | "not-named-by-step"
  | "result-not-json"
  | "gradients-pending"
  | "policy-owned"
  | "model-unavailable"
  | "loss-not-finite"
  | "no-data"
  | "policy-lag-unsupported"
  | "invalid-option"
  | "unknown-option"
  | "unknown-preset"
  | "engine-changed";

export interface TrainErrorDetails {
  readonly hint?: string;
  readonly cause?: unknown;
  readonly facts?: ErrorFacts;
}

/** An error at the recipe boundary. */
export function trainError(
  code: TrainErrorCode,
  message: string,
  details: TrainErrorDetails = {},
): SparError {
  return new SparError({ code, boundary: "recipe", message, ...details });
}
