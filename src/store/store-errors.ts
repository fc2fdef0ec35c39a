/**
 * What can go wrong with a run folder, with one code each: SQLite's and the file system's own errors
 * are translated here, so that nobody above switches on numbers.
 */
import { isSparError, messageOf, SparError, type ErrorFacts } from "../base/index.ts";

export type StoreErrorCode =
  | "not-a-run"
  | "run-exists"
  | "run-busy"
  | "run-too-new"
  | "run-too-old"
  | "run-corrupt"
  | "run-unreadable"
  | "run-closed"
  | "record-unknown"
  | "disk-full"
  | "store-read-only"
  | "disk-failed";

export interface StoreErrorDetails {
  readonly hint?: string;
  readonly cause?: unknown;
  readonly facts?: ErrorFacts;
}

/** An error at the store boundary. */
export function storeError(
  code: StoreErrorCode,
  message: string,
  details: StoreErrorDetails = {},
): SparError {
  return new SparError({ code, boundary: "store", message, hint: hints[code], ...details });
}

const hints: Readonly<Record<StoreErrorCode, string>> = {
  "not-a-run": "name a folder that spar run made; spar list shows them",
  "run-exists": "resume it, or choose another folder",
  "run-busy": "wait until the other process has ended, or stop it",
  "run-too-new": "use the version of spar that wrote it, or a newer one",
  "run-too-old": "use the version of spar that wrote it, or begin a new run",
  "run-corrupt": "restore the folder from a copy; what is in it was not changed",
  "run-unreadable": "make the folder and what is in it readable for this user, then try again",
  "run-closed": "open the run again",
  "record-unknown": "list what the run holds first",
  "disk-full": "free space on the disk, then resume the run: what was committed is there",
  "store-read-only": "make the folder writable for this user, then try again",
  "disk-failed": "check the disk, then resume the run: what was committed is there",
};

/** Primary result codes of SQLite, https://sqlite.org/rescode.html. */
const sqliteCodes: Readonly<Record<number, StoreErrorCode>> = {
  5: "run-busy",
  6: "run-busy",
  8: "store-read-only",
  10: "disk-failed",
  11: "run-corrupt",
  13: "disk-full",
  14: "store-read-only",
  26: "run-corrupt",
};

/** Extended codes that say more than their primary ones: the index of the log found no room. */
const extendedSqliteCodes: Readonly<Record<number, StoreErrorCode>> = { 4874: "disk-full" };

const systemCodes: Readonly<Record<string, StoreErrorCode>> = {
  ENOSPC: "disk-full",
  EDQUOT: "disk-full",
  EROFS: "store-read-only",
  EACCES: "store-read-only",
  EPERM: "store-read-only",
  EIO: "disk-failed",
};

/** The same where something was only read: nobody wanted to write. */
const systemCodesOfReading: Readonly<Record<string, StoreErrorCode>> = {
  ...systemCodes,
  EACCES: "run-unreadable",
  EPERM: "run-unreadable",
  EISDIR: "run-corrupt",
};

/**
 * Translates what SQLite or the file system threw while `what` was done: "writing records". What is
 * neither, such as a broken assertion, comes back unchanged.
 */
export function toStoreError(thrown: unknown, what: string): unknown {
  return translated(thrown, what, systemCodes);
}

/** The same for what was thrown while something was only read. */
export function toReadError(thrown: unknown, what: string): unknown {
  return translated(thrown, what, systemCodesOfReading);
}

function translated(thrown: unknown, what: string, codes: Readonly<Record<string, StoreErrorCode>>): unknown {
  if (isSparError(thrown) || !(thrown instanceof Error)) return thrown;
  const code = codeOf(thrown, codes);
  return code === null ? thrown : storeError(code, `${what} failed: ${messageOf(thrown)}`, { cause: thrown });
}

function codeOf(error: Error, codes: Readonly<Record<string, StoreErrorCode>>): StoreErrorCode | null {
  if ("errcode" in error && typeof error.errcode === "number") {
    return extendedSqliteCodes[error.errcode] ?? sqliteCodes[error.errcode & 0xff] ?? "disk-failed";
  }
  if ("code" in error && typeof error.code === "string") return codes[error.code] ?? null;
  return null;
}

/** Reads files, or looks at them, and translates what that throws. */
export function withReadErrors<T>(what: string, work: () => T): T {
  try {
    return work();
  } catch (thrown) {
    throw toReadError(thrown, what);
  }
}

/** Runs file work and translates what it throws. */
export function withStoreErrors<T>(what: string, work: () => T): T {
  try {
    return work();
  } catch (thrown) {
    throw toStoreError(thrown, what);
  }
}
