/**
 * From whatever was thrown to what the reader sees and the exit code: one message that says what was
 * expected and what came, one hint, and the stack only where it was asked for.
 */
import { isSparError, messageOf, type SparError } from "../base/index.ts";
import { exitOfError, isStorageErrorCode, type ExitName } from "./exit-codes.ts";
import { manyLines } from "./terminal/text.ts";
import type { Style } from "./terminal/style.ts";

export interface FailureDescription {
  readonly exit: ExitName;
  readonly message: string;
  readonly hint: string | null;
}

export interface FailureReportOptions {
  readonly style: Style;
  /** Whether stack traces and causes were asked for. */
  readonly isVerbose: boolean;
}

const fullDisk: ReadonlySet<string> = new Set(["ENOSPC", "EDQUOT"]);

/** `SQLITE_FULL` as node:sqlite reports it. */
const sqliteFull = 13;

/** What happened, in words and as an exit. */
export function describeFailure(thrown: unknown): FailureDescription {
  const storage = storageFailure(thrown);
  if (storage !== null) return storage;
  if (isSparError(thrown)) return { exit: exitOfError(thrown), message: thrown.message, hint: hintOf(thrown) };
  return {
    exit: "failed",
    message: `unexpected error: ${messageOf(thrown)}`,
    hint: "this is a defect of spar or of the recipe; add --verbose to see where it happened",
  };
}

/** The lines of standard error for a failure. */
export function reportFailure(thrown: unknown, options: FailureReportOptions): string[] {
  const { message, hint } = describeFailure(thrown);
  const lines = [`${options.style.bad("error:")} ${manyLines(message)}`];
  if (hint !== null) lines.push(`${options.style.faint("hint:")}  ${manyLines(hint)}`);
  return options.isVerbose ? [...lines, ...stackLines(thrown)] : lines;
}

function hintOf(error: SparError): string | null {
  return error.hint;
}

/** A full or read-only disk, however deep in the chain of causes: it explains everything above it. */
function storageFailure(thrown: unknown): FailureDescription | null {
  for (const error of causesOf(thrown)) {
    const { code, path } = systemErrorOf(error);
    if (code === null || !isStorageErrorCode(code)) continue;
    const place = path === null ? "" : ` ${path}`;
    return fullDisk.has(code)
      ? {
          exit: "storage",
          message: `cannot write${place}: no space left on the disk`,
          hint: "free some space, then resume the run; finished steps and turns are kept",
        }
      : {
          exit: "storage",
          message: `cannot use${place}: ${messageOf(error)}`,
          hint: "check the permissions, or choose another folder with --runs-folder",
        };
  }
  return null;
}

function systemErrorOf(error: unknown): { code: string | null; path: string | null } {
  if (typeof error !== "object" || error === null) return { code: null, path: null };
  if ("errcode" in error && error.errcode === sqliteFull) return { code: "ENOSPC", path: null };
  const code = "code" in error && typeof error.code === "string" ? error.code : null;
  const path = "path" in error && typeof error.path === "string" ? error.path : null;
  return { code, path };
}

const deepestCause = 10;

function causesOf(thrown: unknown): unknown[] {
  const chain: unknown[] = [];
  let current: unknown = thrown;
  while (current !== undefined && current !== null && chain.length < deepestCause) {
    chain.push(current);
    current = typeof current === "object" && "cause" in current ? current.cause : undefined;
  }
  return chain;
}

function stackLines(thrown: unknown): string[] {
  return causesOf(thrown).flatMap((error, depth) => {
    const stack = error instanceof Error && error.stack !== undefined ? error.stack : messageOf(error);
    const prefix = depth === 0 ? "" : "caused by ";
    const code = isSparError(error) ? ` [${error.boundary}/${error.code}]` : "";
    return `${prefix}${stack}${code}`.split("\n").map((line) => manyLines(line));
  });
}
