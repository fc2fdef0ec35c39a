/**
 * One signal for thousands of episodes: each gets a signal of its own, since listening and ceasing to
 * listen on a shared one takes longer the more there are.
 */
export class Cancellation {
  readonly #children = new Set<AbortController>();
  readonly #source: AbortSignal;
  readonly #onAbort = (): void => this.stop(this.#source.reason);
  #stopped: { readonly reason: unknown } | null = null;

  constructor(source: AbortSignal) {
    this.#source = source;
    if (source.aborted) this.stop(source.reason);
    else source.addEventListener("abort", this.#onAbort, { once: true });
  }

  /** Aborts all that are under way and all that come. */
  stop(reason: unknown): void {
    this.#stopped ??= { reason };
    for (const child of this.#children) child.abort(this.#stopped.reason);
  }

  /** Runs work with a signal of its own. */
  async run<T>(work: (signal: AbortSignal) => Promise<T>): Promise<T> {
    const child = new AbortController();
    if (this.#stopped !== null) child.abort(this.#stopped.reason);
    this.#children.add(child);
    try {
      return await work(child.signal);
    } finally {
      this.#children.delete(child);
    }
  }

  /** No longer listens to the source. */
  close(): void {
    this.#source.removeEventListener("abort", this.#onAbort);
  }
}
