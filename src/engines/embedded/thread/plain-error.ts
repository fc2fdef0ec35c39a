/** Errors on their way between threads: a class does not survive it, data do. Knows no call. */
import { isSparError, messageOf, SparError } from "../../../base/index.ts";
import { memoryExhausted } from "../executor/heap.ts";

/** A SparError as data; its class does not survive the way between threads. */
export interface PlainError {
  readonly code: string;
  readonly message: string;
  readonly hint: string | null;
  readonly retryable: boolean;
  readonly facts: Readonly<Record<string, string | number | boolean | null>>;
  /** Where it was thrown, for whoever asks for more than the message. */
  readonly stack: string | null;
}

/** Codes that the rest of spar knows, for what the system says about a disk. */
const diskCodes: ReadonlyMap<string, { readonly code: string; readonly hint: string }> = new Map([
  ["ENOSPC", { code: "disk-full", hint: "free some space, then go on" }],
  ["EDQUOT", { code: "disk-full", hint: "free some space, then go on" }],
  ["EROFS", { code: "store-read-only", hint: "choose a folder that can be written" }],
  ["EACCES", { code: "store-read-only", hint: "choose a folder that can be written" }],
]);

/** What the engine's thread tells of what was thrown there. */
export function toPlainError(thrown: unknown): PlainError {
  const stack = thrown instanceof Error ? (thrown.stack ?? null) : null;
  if (isSparError(thrown)) {
    const { code, message, hint, retryable, facts } = thrown;
    return { code, message, hint, retryable, facts, stack };
  }
  const message = `the embedded engine failed: ${messageOf(thrown)}`;
  if (isOutOfMemory(thrown)) return { ...toPlainError(memoryExhausted(message, thrown)), stack };
  const disk = diskCodes.get(systemCodeOf(thrown) ?? "");
  const { code, hint } = disk ?? { code: "engine-failed", hint: null };
  return { code, message, hint, retryable: disk !== undefined, facts: {}, stack };
}

/** What V8 throws where it gives no memory for arrays and WebAssembly, and how Node ends a thread whose heap is full. */
export function isOutOfMemory(thrown: unknown): boolean {
  if (systemCodeOf(thrown) === "ERR_WORKER_OUT_OF_MEMORY") return true;
  return thrown instanceof RangeError && /allocat|memory/iu.test(thrown.message);
}

function systemCodeOf(thrown: unknown): string | null {
  const hasCode = typeof thrown === "object" && thrown !== null && "code" in thrown;
  return hasCode && typeof thrown.code === "string" ? thrown.code : null;
}

/** The error as the caller gets it; the stack of the other thread is its cause. */
export function fromPlainError({ hint, stack, ...error }: PlainError): SparError {
  const cause = new Error(error.message);
  if (stack !== null) cause.stack = stack;
  return new SparError({ boundary: "engine", cause, ...error, ...(hint === null ? {} : { hint }) });
}
