/**
 * Many waits under one timer and one signal: thousands of episodes wait at once, and a timer, a
 * listener and a promise for each cost more than what most of them wait for. Each wait still says what
 * it is for and how long it may take. Knows nothing of what is waited for.
 */
import { abortedError, deadlineError, longestTimeoutMs, type WaitOptions } from "./deadline.ts";
import type { SparError } from "./errors.ts";

/** What one wait is for; the signal is that of all. */
export type OpenWaitOptions = Omit<WaitOptions, "signal">;

/** One wait under way. */
export interface OpenWait {
  /** Aborts when the wait ends early: its time is up, everything was cancelled, or it was given up. */
  readonly signal: AbortSignal;
  /** What was waited for has come. False where the wait had ended before, so that it came too late. */
  close(): boolean;
  /** Nobody waits any more: tells whoever works for it through the signal. */
  giveUp(): void;
}

/** The timer rings no more often than this, so that many waits that end one by one share a look. */
const shortestPauseMs = 2;

export class Deadlines {
  readonly #source: AbortSignal | undefined;
  readonly #onAbort = (): void => this.stop();
  readonly #first: Link = new Link();
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
   * Begins a wait of at most `timeoutMs`. Where it ends before it is closed, `onEnd` is told why:
   * `deadline-exceeded` or `aborted`. It ends at most a few milliseconds late, never early.
   */
  open(options: OpenWaitOptions, onEnd: (error: SparError) => void): OpenWait {
    const dueMs = performance.now() + Math.min(options.timeoutMs, longestTimeoutMs);
    const wait = new Wait(options, dueMs, onEnd);
    wait.insertAfter(this.#first);
    if (this.#isStopped) queueMicrotask(() => wait.end(abortedError(options)));
    else if (dueMs < this.#ringsAtMs) this.#ringAt(dueMs);
    return wait;
  }

  /** Waits for a promise, as `withDeadline` does. */
  wait<T>(options: OpenWaitOptions, start: (signal: AbortSignal) => Promise<T>): Promise<T> {
    return new Promise((resolve, reject) => {
      const wait = this.open(options, reject);
      const came = async (): Promise<T> => {
        try {
          return await start(wait.signal);
        } finally {
          wait.close();
        }
      };
      came().then(resolve, reject);
    });
  }

  /** Ends all waits as `aborted`, and those that come. */
  stop(): void {
    this.#isStopped = true;
    for (const wait of this.#open()) wait.end(abortedError(wait.options));
    this.close();
  }

  /** Leaves no timer and no listener behind; after the last wait. */
  close(): void {
    this.#source?.removeEventListener("abort", this.#onAbort);
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
      if (wait.dueMs <= nowMs) wait.end(deadlineError(wait.options));
      else nextMs = Math.min(nextMs, wait.dueMs);
    }
    if (nextMs < this.#ringsAtMs) this.#ringAt(nextMs);
  }

  /** As they are now: ending one may open or close others. */
  #open(): Wait[] {
    const waits: Wait[] = [];
    for (let link = this.#first.next; link !== null; link = link.next) waits.push(link);
    return waits;
  }
}

/** A place in the list of open waits: leaving it takes the same time however many there are. */
class Link {
  before: Link | null = null;
  next: Wait | null = null;
}

class Wait extends Link implements OpenWait {
  readonly options: OpenWaitOptions;
  readonly dueMs: number;
  readonly #onEnd: (error: SparError) => void;
  readonly #controller = new AbortController();

  constructor(options: OpenWaitOptions, dueMs: number, onEnd: (error: SparError) => void) {
    super();
    this.options = options;
    this.dueMs = dueMs;
    this.#onEnd = onEnd;
  }

  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  insertAfter(link: Link): void {
    this.before = link;
    this.next = link.next;
    if (this.next !== null) this.next.before = this;
    link.next = this;
  }

  close(): boolean {
    if (this.before === null) return false;
    this.before.next = this.next;
    if (this.next !== null) this.next.before = this.before;
    this.before = null;
    this.next = null;
    return true;
  }

  giveUp(): void {
    if (this.close()) this.#controller.abort(abortedError(this.options));
  }

  end(error: SparError): void {
    if (!this.close()) return;
    this.#onEnd(error);
    this.#controller.abort(error);
  }
}
