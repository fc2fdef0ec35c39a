/** Takes bytes off a stream by count, whatever the pieces in which they come. Holds what was asked for, and one piece. */
import { unexpectedAnswer } from "../errors.ts";

export class ByteReader {
  readonly #source: AsyncIterator<Uint8Array>;
  readonly #what: string;
  #held: Uint8Array = new Uint8Array(0);

  constructor(source: AsyncIterable<Uint8Array>, what: string) {
    this.#source = source[Symbol.asyncIterator]();
    this.#what = what;
  }

  /** Whether these come next; they stay. */
  async startsWith(bytes: readonly number[]): Promise<boolean> {
    while (this.#held.byteLength < bytes.length && (await this.#pull()));
    return bytes.every((byte, place) => this.#held[place] === byte);
  }

  /** So many bytes at once. @throws `unexpected-answer` where there are less */
  async take(count: number): Promise<Uint8Array> {
    while (this.#held.byteLength < count) if (!(await this.#pull())) throw this.#cut(count);
    return this.#split(count);
  }

  /** So many bytes, in pieces. @throws `unexpected-answer` where there are less */
  async *pieces(count: number): AsyncGenerator<Uint8Array, void, undefined> {
    for (let left = count; left > 0;) {
      if (this.#held.byteLength === 0 && !(await this.#pull())) throw this.#cut(left);
      const piece = this.#split(Math.min(left, this.#held.byteLength));
      left -= piece.byteLength;
      yield piece;
    }
  }

  /** All that is left, in pieces. */
  async *rest(): AsyncGenerator<Uint8Array, void, undefined> {
    do {
      if (this.#held.byteLength > 0) yield this.#split(this.#held.byteLength);
    } while (await this.#pull());
  }

  #split(count: number): Uint8Array {
    const piece = this.#held.subarray(0, count);
    this.#held = this.#held.subarray(count);
    return piece;
  }

  async #pull(): Promise<boolean> {
    const { done, value } = await this.#source.next();
    if (done === true) return false;
    this.#held = this.#held.byteLength === 0 ? value : Buffer.concat([this.#held, value]);
    return true;
  }

  #cut(count: number): Error {
    return unexpectedAnswer(this.#what, `${count} more bytes`, "the end: it was cut");
  }
}
