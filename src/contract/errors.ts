/** The engine errors that every engine throws alike. */
import { SparError } from "../base/index.ts";
import { capabilityMeanings, type Capability } from "./capabilities.ts";

export type EngineErrorCode =
  | "capability-missing"
  | "invalid-input"
  | "version-unknown"
  | "model-released"
  | "engine-closed"
  | "engine-failed"
  /** The process or server behind the engine is gone with what it held; a new one can go on from saved states. */
  | "engine-lost"
  | "memory-exhausted"
  | "state-unreadable"
  | "answer-lost"
  | "package-missing"
  | "stale-sampler"
  | "weights-diverged"
  | "deadline-exceeded"
  | "aborted";

export interface EngineErrorDetails {
  readonly hint?: string;
  readonly retryable?: boolean;
  readonly cause?: unknown;
  readonly facts?: Readonly<Record<string, string | number | boolean | null>>;
}

/** An error at the engine boundary. */
export function engineError(
  code: EngineErrorCode,
  message: string,
  details: EngineErrorDetails = {},
): SparError {
  return new SparError({ code, boundary: "engine", message, ...details });
}

/** The refusal of a call on a model that was released, or never was. */
export function modelReleased(model: string): SparError {
  return engineError("model-released", `expected a live model, ${model} was released`);
}

/** The refusal of a call that needs what the engine does not have. */
export function capabilityMissing(engineId: string, capability: Capability): SparError {
  return engineError(
    "capability-missing",
    `engine ${engineId} lacks ${capability}: ${capabilityMeanings[capability]}`,
    {
      hint:
        capability === "hub-models"
          ? "name a folder in the hub's format, or allow an engine that can download to do so: its options say how"
          : `choose an engine that has ${capability}; spar doctor lists them`,
      facts: { engineId, capability },
    },
  );
}
