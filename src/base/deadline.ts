/**
 * No wait without a deadline (promise 3): every wait says what it is for, how long it may take and
 * what to do when it does not come. Knows nothing of what is waited for.
 */
import { SparError, type Boundary } from "./errors.ts";

export interface CallOptions {
  /** Ends the call early; the promise then rejects with code `aborted`. */
  readonly signal?: AbortSignal;
  /** The longest this call may take; a default applies where it is left out. */
  readonly timeoutMs?: number;
}

export interface WaitOptions extends CallOptions {
  readonly boundary: Boundary;
  /** A noun phrase: "the answer of the embedded engine to forwardBackward". */
  readonly what: string;
  readonly timeoutMs: number;
  readonly hint?: string;
}

/** The longest that a timer can wait, 24 days; a longer one would fire at once. */
export const longestTimeoutMs: number = 2 ** 31 - 1;

/**
 * Waits for a promise, at most `timeoutMs` (or 24 days, where that is more). The work behind the promise is told through the signal
 * that `start` receives, which aborts when the wait ends early.
 *
 * @throws `deadline-exceeded` (retryable) when the time is up, `aborted` when the signal fires.
 */
export async function withDeadline<T>(
  options: WaitOptions,
  start: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  if (options.signal?.aborted === true) throw abortedError(options);
  const controller = new AbortController();
  let cleanUp = (): void => undefined;
  const timerMs = Math.min(options.timeoutMs, longestTimeoutMs);
  const end = new Promise<never>((_resolve, reject) => {
    const fail = (error: SparError): void => {
      reject(error);
      controller.abort(error);
    };
    const timer = setTimeout(() => fail(deadlineError(options)), timerMs);
    const onAbort = (): void => fail(abortedError(options));
    options.signal?.addEventListener("abort", onAbort, { once: true });
    cleanUp = () => {
      clearTimeout(timer);
      options.signal?.removeEventListener("abort", onAbort);
    };
  });
  try {
    return await Promise.race([start(controller.signal), end]);
  } finally {
    cleanUp();
  }
}

/** The error of a wait whose time is up. */
export function deadlineError(options: Omit<WaitOptions, "signal">): SparError {
  return new SparError({
    code: "deadline-exceeded",
    boundary: options.boundary,
    message: `${options.what} did not come within ${options.timeoutMs} ms`,
    hint: options.hint ?? "try again, or allow more time",
    retryable: true,
    facts: { timeoutMs: options.timeoutMs },
  });
}

/**
 * Waits for so much time, for the pause before another try.
 *
 * @throws `aborted` as soon as the signal fires
 */
export async function pause(options: WaitOptions): Promise<void> {
  const { boundary, what, timeoutMs, signal } = options;
  throwIfAborted(signal, options);
  await new Promise<void>((resolve, reject) => {
    const onAbort = (): void => {
      clearTimeout(timer);
      reject(abortedError({ boundary, what }));
    };
    const timer = setTimeout(
      () => {
        signal?.removeEventListener("abort", onAbort);
        resolve();
      },
      Math.min(timeoutMs, longestTimeoutMs),
    );
    signal?.addEventListener("abort", onAbort, { once: true });
  });
}

/** The error of a wait that its signal ended. */
export function abortedError(options: { readonly boundary: Boundary; readonly what: string }): SparError {
  return new SparError({
    code: "aborted",
    boundary: options.boundary,
    message: `${options.what} was cancelled`,
    retryable: true,
  });
}

/** Throws `aborted` where the signal has fired; for loops between waits. */
export function throwIfAborted(
  signal: AbortSignal | undefined,
  options: { readonly boundary: Boundary; readonly what: string },
): void {
  if (signal?.aborted === true) throw abortedError(options);
}
