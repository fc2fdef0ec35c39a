/** A wait under a shared timer that tells through a promise what came, or why nothing did. */
import { abortedError, type WaitOptions } from "./deadline.ts";
import type { SparError } from "./errors.ts";
import { OpenWait, type OpenWaitOptions } from "./open-wait.ts";

export class PromisedWait<T> extends OpenWait {
  readonly promise: Promise<T>;
  readonly #options: WaitOptions;
  readonly #onClosed: () => void;
  readonly #resolve: (value: T) => void;
  readonly #reject: (thrown: unknown) => void;
  readonly #onAbort = (): void => this.end(abortedError(this.#options));

  constructor(options: WaitOptions, onClosed: () => void) {
    super();
    const { promise, resolve, reject } = Promise.withResolvers<T>();
    this.promise = promise;
    this.#options = options;
    this.#onClosed = onClosed;
    this.#resolve = resolve;
    this.#reject = reject;
    options.signal?.addEventListener("abort", this.#onAbort);
  }

  about(): OpenWaitOptions {
    return this.#options;
  }

  /** Starts what is waited for, which may throw at once. */
  follow(start: (signal: AbortSignal) => Promise<T>): void {
    try {
      start(this.signal).then(
        (value) => this.#settle(() => this.#resolve(value)),
        (thrown: unknown) => this.#settle(() => this.#reject(thrown)),
      );
    } catch (thrown) {
      this.#settle(() => this.#reject(thrown));
    }
  }

  protected ended(error: SparError): void {
    this.#reject(error);
    this.#leave();
  }

  #settle(tell: () => void): void {
    if (!this.close()) return;
    tell();
    this.#leave();
  }

  #leave(): void {
    this.#options.signal?.removeEventListener("abort", this.#onAbort);
    this.#onClosed();
  }
}
