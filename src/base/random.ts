/**
 * Randomness is an argument. A `Random` is split by label, so that the numbers a part of the
 * program sees depend on the seed and on its own name, never on what ran before it.
 */
import { createHash } from "node:crypto";
import { xoroshiro128plusFromState } from "pure-rand/generator/xoroshiro128plus";
import { assert } from "./assert.ts";

/** A part of a label path: names, indices. */
export type Label = string | number;

export interface Random {
  /** A generator of its own for a labelled part; the same labels give the same numbers. */
  split(...labels: readonly Label[]): Random;
  /** Uniform in [0, 1) with 53 bits. */
  uniform(): number;
  /** Uniform over the integers 0 .. bound - 1. */
  integer(bound: number): number;
  /** Standard normal (Box-Muller). */
  normal(): number;
  /** A shuffled copy (Fisher-Yates). */
  shuffle<T>(items: readonly T[]): T[];
  /** One item, uniformly. */
  pick<T>(items: readonly T[]): T;
  /** A 31-bit seed for a generator elsewhere, such as a sampler's. */
  seed(): number;
}

/** The root generator of a run. */
export function createRandom(seed: number): Random {
  assert(Number.isSafeInteger(seed), `seed must be an integer, got ${seed}`);
  return fromPath(`spar:${seed}`);
}

function fromPath(path: string): Random {
  const hash = createHash("sha256").update(path).digest();
  // The last bit set: an all-zero state is the one state the generator cannot leave.
  const state = [hash.readInt32LE(0), hash.readInt32LE(4), hash.readInt32LE(8), hash.readInt32LE(12) | 1];
  const generator = xoroshiro128plusFromState(state);
  const bits = (count: number): number => (generator.next() >>> 0) >>> (32 - count);
  const uniform = (): number => (bits(26) * 2 ** 27 + bits(27)) / 2 ** 53;
  const integer = (bound: number): number => {
    assert(Number.isSafeInteger(bound) && bound > 0, `bound must be a positive integer, got ${bound}`);
    return Math.floor(uniform() * bound);
  };
  return {
    split: (...labels) => fromPath(`${path}/${labels.map((label) => JSON.stringify(label)).join("/")}`),
    uniform,
    integer,
    normal: () => Math.sqrt(-2 * Math.log(1 - uniform())) * Math.cos(2 * Math.PI * uniform()),
    shuffle: (items) => {
      const shuffled = [...items];
      for (let last = shuffled.length - 1; last > 0; last--) {
        const other = integer(last + 1);
        [shuffled[last], shuffled[other]] = [shuffled[other] as never, shuffled[last] as never];
      }
      return shuffled;
    },
    pick: <T>(items: readonly T[]): T => items[integer(items.length)] as T,
    seed: () => bits(31),
  };
}
