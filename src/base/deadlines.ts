/**
 * Many waits under one timer and one signal: thousands of episodes wait at once, and a timer, a
 * listener and a promise for each cost more than what most of them wait for. Each wait still says what
 * it is for and how long it may take. Knows nothing of what is waited for.
 */
import { abortedError, deadlineError, longestTimeoutMs, type WaitOptions } from "./deadline.ts";
import { WaitPlace, type OpenWait } from "./open-wait.ts";
import { PromisedWait } from "./promised-wait.ts";

/** The timer rings no more often than this, so that many waits that end one by one share a look. */
const shortestPauseMs = 2;

export class Deadlines {
  readonly #source: AbortSignal | undefined;
  readonly #onAbort = (): void => this.stop();
  readonly #first: WaitPlace = new WaitPlace();
  /** A timer for nothing would keep the process alive. */
  readonly #rest = (): void => {
    if (this.#first.next === null) this.#silence();
  };
  #timer: NodeJS.Timeout | null = null;
  #ringsAtMs = Number.POSITIVE_INFINITY;
  #isStopped = false;

  /** The waits end when the signal fires. */
  constructor(signal?: AbortSignal) {
    this.#source = signal;
    if (signal?.aborted === true) this.#isStopped = true;
    else signal?.addEventListener("abort", this.#onAbort, { once: true });
  }

  /** Whether everything was cancelled. */
  get isStopped(): boolean {
    return this.#isStopped;
  }

  /**
   * Begins a wait of at most `timeoutMs`. Where it ends before it is closed, it is told why:
   * `deadline-exceeded` or `aborted`. It ends at most a few milliseconds late, never early.
   */
  begin(wait: OpenWait, timeoutMs: number): void {
    const dueMs = performance.now() + Math.min(timeoutMs, longestTimeoutMs);
    wait.insertAfter(this.#first, dueMs);
    if (this.#isStopped) queueMicrotask(() => wait.end(abortedError(wait.about())));
    else if (dueMs < this.#ringsAtMs) this.#ringAt(dueMs);
  }

  /** Waits for a promise, as `withDeadline` does; the signal of the options ends this wait alone. */
  wait<T>(options: WaitOptions, start: (signal: AbortSignal) => Promise<T>): Promise<T> {
    if (options.signal?.aborted === true) return Promise.reject(abortedError(options));
    const wait = new PromisedWait<T>(options, this.#rest);
    this.begin(wait, options.timeoutMs);
    wait.follow(start);
    return wait.promise;
  }

  /** Ends all waits as `aborted`, and those that come. */
  stop(): void {
    this.#isStopped = true;
    for (const wait of this.#open()) wait.end(abortedError(wait.about()));
    this.close();
  }

  /** Leaves no timer and no listener behind; after the last wait. */
  close(): void {
    this.#source?.removeEventListener("abort", this.#onAbort);
    this.#silence();
  }

  #silence(): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
    this.#ringsAtMs = Number.POSITIVE_INFINITY;
  }

  #ringAt(dueMs: number): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#ringsAtMs = dueMs;
    const pauseMs = Math.max(shortestPauseMs, Math.ceil(dueMs - performance.now()));
    this.#timer = setTimeout(() => this.#look(), pauseMs);
  }

  /** Ends what is due and rings again for what is due next. */
  #look(): void {
    this.#timer = null;
    this.#ringsAtMs = Number.POSITIVE_INFINITY;
    const nowMs = performance.now();
    let nextMs = Number.POSITIVE_INFINITY;
    for (const wait of this.#open()) {
      if (wait.dueMs <= nowMs) wait.end(deadlineError(wait.about()));
      else nextMs = Math.min(nextMs, wait.dueMs);
    }
    if (nextMs < this.#ringsAtMs) this.#ringAt(nextMs);
  }

  /** As they are now: ending one may open or close others. */
  #open(): OpenWait[] {
    const waits: OpenWait[] = [];
    for (let link = this.#first.next; link !== null; link = link.next) waits.push(link);
    return waits;
  }
}
