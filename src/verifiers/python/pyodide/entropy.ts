/**
 * What a program is given where it asks the system for random bytes: the same for the same seed. Its own generator, so that
 * the process in which programs run reads no package but Python. Not for secrets.
 */
import { hash } from "node:crypto";

export class EntropyStream {
  readonly #seed: number;
  #block = 0;
  #left: Uint8Array = new Uint8Array(0);

  constructor(seed: number) {
    this.#seed = seed;
  }

  /** The next bytes of the stream: SHA-256 of the seed and the number of the block. */
  take(bytes: number): Uint8Array {
    const taken = new Uint8Array(bytes);
    for (let place = 0; place < bytes;) {
      if (this.#left.length === 0) this.#left = hash("sha256", `${this.#seed}/${this.#block++}`, "buffer");
      const piece = this.#left.subarray(0, bytes - place);
      taken.set(piece, place);
      this.#left = this.#left.subarray(piece.length);
      place += piece.length;
    }
    return taken;
  }
}
