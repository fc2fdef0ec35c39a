/**
 * The one error type of spar. Operating failures (an engine died, a file is cut, an option is wrong)
 * are thrown as a `SparError`; expected outcomes are returned as unions instead, and broken
 * invariants go through `assert`. This file knows no engine, store or recipe.
 */

/** Where in the system a failure happened; set once, by whoever owns that boundary. */
export type Boundary =
  | "engine"
  | "worker"
  | "verifier"
  | "service"
  | "player"
  | "game"
  | "store"
  | "data"
  | "text"
  | "recipe"
  | "protocol"
  | "command";

/** Facts that help a reader of the error; plain data, never secrets. */
export type ErrorFacts = Readonly<Record<string, string | number | boolean | null>>;

export interface SparErrorOptions {
  /** Stable, kebab-case; what programs switch on. */
  readonly code: string;
  readonly boundary: Boundary;
  /** What was expected and what came, without a full stop. */
  readonly message: string;
  /** What the reader can do about it, as an imperative sentence without a full stop. */
  readonly hint?: string;
  /** True where the same call can succeed when it is made again. */
  readonly retryable?: boolean;
  readonly facts?: ErrorFacts;
  readonly cause?: unknown;
}

/** An operating failure with a stable code and the boundary that it crossed. */
export class SparError extends Error {
  /** The marker by which `isSparError` knows it. */
  readonly isSparError: true = true;
  readonly code: string;
  readonly boundary: Boundary;
  readonly hint: string | null;
  readonly retryable: boolean;
  readonly facts: ErrorFacts;

  constructor(options: SparErrorOptions) {
    super(options.message, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = "SparError";
    this.code = options.code;
    this.boundary = options.boundary;
    this.hint = options.hint ?? null;
    this.retryable = options.retryable ?? false;
    this.facts = options.facts ?? {};
  }
}

/** Recognises a `SparError` by marker, so that two installed copies of the package agree. */
export function isSparError(value: unknown): value is SparError {
  return typeof value === "object" && value !== null && "isSparError" in value;
}

/**
 * Attributes whatever was thrown to a boundary. An error that is already typed passes through
 * unchanged: the first boundary that saw it is the right one.
 */
export function toSparError(thrown: unknown, fallback: Omit<SparErrorOptions, "cause">): SparError {
  if (isSparError(thrown)) return thrown;
  return new SparError({ ...fallback, cause: thrown });
}

/** The message of whatever was thrown, for use inside other messages. */
export function messageOf(thrown: unknown): string {
  return thrown instanceof Error ? thrown.message : String(thrown);
}
