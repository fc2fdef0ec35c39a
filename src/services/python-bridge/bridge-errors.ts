/** Failures of the bridge to Python, as errors for people who have to mend an installation. */
import { SparError, type ErrorFacts } from "../../base/index.ts";

export type BridgeErrorCode =
  | "python-missing"
  | "bridge-ended"
  | "bridge-garbled"
  | "bridge-busy"
  | "bridge-closed"
  /** Told by Python: */
  | "package-missing"
  | "unknown-game"
  | "game-unsupported"
  | "game-failed"
  | "illegal-action";

export interface BridgeErrorDetails {
  readonly hint?: string | null;
  readonly retryable?: boolean;
  readonly facts?: ErrorFacts;
}

export function bridgeError(
  code: BridgeErrorCode,
  message: string,
  details: BridgeErrorDetails = {},
): SparError {
  const { hint, ...rest } = details;
  return new SparError({
    code,
    boundary: "service",
    message,
    ...rest,
    ...(hint === undefined || hint === null ? {} : { hint }),
  });
}

export function pythonMissing(executable: string, cause: string): SparError {
  return bridgeError("python-missing", `Python does not start as ${executable}: ${cause}`, {
    hint: "install Python 3.9 or later, or say where it is with --python PATH",
  });
}

export function bridgeEnded(how: string, standardError: string): SparError {
  const lastLine = standardError.trimEnd().split("\n").at(-1)?.slice(0, 400) ?? "";
  return bridgeError(
    "bridge-ended",
    `the Python process ended with ${how}${lastLine === "" ? "" : `: ${lastLine}`}`,
    {
      hint: "the next call starts a new one; where this repeats, the game itself ends its process",
      retryable: true,
      facts: { standardError },
    },
  );
}

export function bridgeGarbled(expected: string, came: string): SparError {
  const shown = came.length <= 120 ? came : `${came.slice(0, 120)}...`;
  return bridgeError(
    "bridge-garbled",
    `expected ${expected} of the Python process, got ${JSON.stringify(shown)}`,
    {
      hint: "check that --python names a Python interpreter; the next call starts a new process",
      retryable: true,
    },
  );
}
