/**
 * A wait under the timer that many share, as a class to derive from: thousands are under way at once, and one object
 * for each, with what it is for and what it does when it ends early, costs less than closures and options.
 */
import { abortedError, type WaitOptions } from "./deadline.ts";
import type { SparError } from "./errors.ts";

/** What one wait is for; the signal is that of all. */
export type OpenWaitOptions = Omit<WaitOptions, "signal">;

/** A place in the list of open waits: leaving it takes the same time however many there are. */
export class WaitPlace {
  before: WaitPlace | null = null;
  next: OpenWait | null = null;
}

/** One wait under way. What it is for is asked only when it ends early, which few do. */
export abstract class OpenWait extends WaitPlace {
  readonly #controller = new AbortController();
  #dueMs = 0;

  abstract about(): OpenWaitOptions;
  /** The wait ended before it was closed: `deadline-exceeded` or `aborted`. */
  protected abstract ended(error: SparError): void;

  /** Aborts when the wait ends early: its time is up, everything was cancelled, or it was given up. */
  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  get dueMs(): number {
    return this.#dueMs;
  }

  insertAfter(link: WaitPlace, dueMs: number): void {
    this.#dueMs = dueMs;
    this.before = link;
    this.next = link.next;
    if (this.next !== null) this.next.before = this;
    link.next = this;
  }

  /** What was waited for has come. False where the wait had ended before, so that it came too late. */
  close(): boolean {
    if (this.before === null) return false;
    this.before.next = this.next;
    if (this.next !== null) this.next.before = this.before;
    this.before = null;
    this.next = null;
    return true;
  }

  /** Nobody waits any more: tells whoever works for it through the signal. */
  giveUp(): void {
    if (this.close()) this.#controller.abort(abortedError(this.about()));
  }

  end(error: SparError): void {
    if (!this.close()) return;
    this.ended(error);
    this.#controller.abort(error);
  }
}
