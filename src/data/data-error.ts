/** The errors of this folder: each names the file, the place in it, what was expected and what came. */
import { SparError, type ErrorFacts } from "../base/index.ts";

export interface DataErrorDetails {
  readonly hint: string;
  readonly file: string;
  /** From 1; left out where the whole file is meant. */
  readonly line?: number;
  readonly facts?: ErrorFacts;
  readonly cause?: unknown;
  readonly retryable?: boolean;
}

/** An error at the data boundary; the message begins with the place. */
export function dataError(code: string, message: string, details: DataErrorDetails): SparError {
  const { file, line, hint, facts, cause, retryable } = details;
  return new SparError({
    code,
    boundary: "data",
    message: `${file}${line === undefined ? "" : ` line ${line}`}: ${message}`,
    hint,
    facts: { file, ...(line === undefined ? {} : { line }), ...facts },
    ...(retryable === undefined ? {} : { retryable }),
    ...(cause === undefined ? {} : { cause }),
  });
}

const shownCharacters = 60;

/** A value as it fits into a message. */
export function showValue(value: unknown): string {
  const text = value === undefined ? "nothing" : (JSON.stringify(value) ?? typeof value);
  return text.length > shownCharacters ? `${text.slice(0, shownCharacters)}...` : text;
}
