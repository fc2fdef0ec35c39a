/**
 * From whatever was thrown to what the reader sees and the exit code: one message that says what was
 * expected and what came, one hint, and the stack only where it was asked for.
 */
import { isSparError, messageOf } from "../base/index.ts";
import { exitOfError, type ExitName } from "./exit-codes.ts";
import { shownPaths } from "./shown-path.ts";
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
  /** Paths below it are shown relative to it. */
  readonly workingFolder: string;
}

/** Errors of the operating system, and the word for them. */
const systemErrors: Readonly<Record<string, string>> = {
  ENOSPC: "no space left on the disk",
  EDQUOT: "the quota of the disk is used up",
  EFBIG: "the file would become too large",
  EACCES: "no permission",
  EPERM: "not permitted",
  EROFS: "the disk is read-only",
  EIO: "the disk failed",
  ENOENT: "it is not there and cannot be made",
  ENOTDIR: "a part of the path is not a folder",
  EISDIR: "it is a folder",
  EEXIST: "something of that name is in the way",
  EMFILE: "too many files are open",
  ENAMETOOLONG: "the name is too long",
  ELOOP: "a link in the path leads back to itself",
};

/** A full disk explains every error above it; the others only what they themselves say. */
const explainsAll: ReadonlySet<string> = new Set(["ENOSPC", "EDQUOT"]);

/** What happened, in words and as an exit. */
export function describeFailure(thrown: unknown): FailureDescription {
  const storage = storageFailure(thrown);
  if (storage !== null) return storage;
  if (isSparError(thrown)) return { exit: exitOfError(thrown), message: thrown.message, hint: thrown.hint };
  return {
    exit: "failed",
    message: `unexpected error: ${messageOf(thrown)}`,
    hint: "this is a defect of spar or of the recipe; add --verbose to see where it happened",
  };
}

/** The lines of standard error for a failure. */
export function reportFailure(thrown: unknown, options: FailureReportOptions): string[] {
  const { message, hint } = describeFailure(thrown);
  const shown = (text: string): string => shownPaths(manyLines(text), options.workingFolder);
  const lines = [`${options.style.bad("error:")} ${shown(withoutStack(message))}`];
  if (hint !== null) lines.push(`${options.style.faint("hint:")}  ${shown(hint)}`);
  return options.isVerbose ? [...lines, ...stackLines(thrown)] : lines;
}

/** Errors that crossed a thread or a wire may carry their stack inside the message. */
function withoutStack(message: string): string {
  return message
    .split("\n")
    .filter((line) => !/^\s+at /u.test(line))
    .join("\n");
}

function storageFailure(thrown: unknown): FailureDescription | null {
  for (const [depth, error] of causesOf(thrown).entries()) {
    if (isSparError(error)) {
      if (error.code === "disk-full") return { exit: "storage", message: error.message, hint: error.hint };
      continue;
    }
    const { code, path } = systemErrorOf(error);
    const words = code === null ? undefined : systemErrors[code];
    if (code === null || words === undefined || (depth > 0 && !explainsAll.has(code))) continue;
    if (code === "ENOENT" && !isMakingFolder(error)) return fileMissing(path ?? messageOf(error));
    return {
      exit: "storage",
      message: `cannot ${path === null ? "write" : `use ${path}`}: ${words}`,
      hint: explainsAll.has(code)
        ? "free some space, then go on: what was finished is kept"
        : "check the permissions, or choose another folder",
    };
  }
  return null;
}

function fileMissing(path: string): FailureDescription {
  return {
    exit: "input",
    message: `expected a file or folder at ${path}, found none`,
    hint: "check the path",
  };
}

function isMakingFolder(error: unknown): boolean {
  return typeof error === "object" && error !== null && "syscall" in error && error.syscall === "mkdir";
}

function systemErrorOf(error: unknown): { code: string | null; path: string | null } {
  if (typeof error !== "object" || error === null) return { code: null, path: null };
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
