/** Lines of standard input one by one, when they are wanted. */

export class LineReader {
  readonly #lines: AsyncIterator<string>;
  /** A read that somebody gave up waiting for; the next one goes on with it, so that no line is lost. */
  #pending: Promise<string | null> | null = null;

  constructor(lines: AsyncIterable<string>) {
    this.#lines = lines[Symbol.asyncIterator]();
  }

  /** The next line; null where no more will come. */
  read(): Promise<string | null> {
    this.#pending ??= this.#next();
    return this.#pending;
  }

  async #next(): Promise<string | null> {
    const next = await this.#lines.next();
    this.#pending = null;
    return next.done === true ? null : next.value;
  }
}
