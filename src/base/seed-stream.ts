/**
 * The many small generators of a play: one for each reply of a script, a seed for each ask. They are a function of
 * a seed that was drawn and of a number, as those of `createRandom` are of seed and labels, at a tenth of the price.
 */
import { createRandom, type Label, type Random } from "./random.ts";
import { RandomDraws } from "./random-draws.ts";
import { threefryBits } from "./threefry.ts";

/** The second word of the counter keeps seeds and drawn numbers apart. */
const forDraws = 0;
const forSeeds = 1;

/** The 31-bit seed at a place, as far from those at other places as if it were drawn. */
export function seedAt(seed: number, place: number): number {
  return Math.floor(threefryBits(seed, place, 0, forSeeds) / 2 ** 22);
}

/** Generator number `stream` of a seed of 31 bits, such as `Random.seed` gives. */
export function seedStream(seed: number, stream: number): Random {
  return new SeedStream(seed, stream);
}

class SeedStream extends RandomDraws {
  readonly #seed: number;
  readonly #stream: number;
  #drawnCount = 0;

  constructor(seed: number, stream: number) {
    super();
    this.#seed = seed;
    this.#stream = stream;
  }

  split(...labels: readonly Label[]): Random {
    return createRandom(this.#seed).split("stream", this.#stream, ...labels);
  }

  uniform(): number {
    return this.#next() / 2 ** 53;
  }

  seed(): number {
    return Math.floor(this.#next() / 2 ** 22);
  }

  #next(): number {
    return threefryBits(this.#seed, this.#stream, this.#drawnCount++, forDraws);
  }
}
