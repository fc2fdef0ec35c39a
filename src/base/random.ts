/**
 * Randomness is an argument. A `Random` is split by label, so that the numbers a part of the
 * program sees depend on the seed and on its own name, never on what ran before it.
 */
import { hash } from "node:crypto";
import { xoroshiro128plusFromState } from "pure-rand/generator/xoroshiro128plus";
import type { RandomGenerator } from "pure-rand/types/RandomGenerator";
import { assert } from "./assert.ts";
import { RandomDraws } from "./random-draws.ts";

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
  assert(Number.isSafeInteger(seed), () => `seed must be an integer, got ${seed}`);
  return new PathRandom(`spar:${seed}`);
}

/** Hashes its path with the first number that is drawn: most generators are only split. */
class PathRandom extends RandomDraws {
  readonly #path: string;
  #generator: RandomGenerator | null = null;

  constructor(path: string) {
    super();
    this.#path = path;
  }

  split(...labels: readonly Label[]): Random {
    let path = this.#path;
    for (const label of labels) path += `/${Number.isSafeInteger(label) ? label : JSON.stringify(label)}`;
    return new PathRandom(labels.length === 0 ? `${path}/` : path);
  }

  uniform(): number {
    return (this.#bits(26) * 2 ** 27 + this.#bits(27)) / 2 ** 53;
  }

  seed(): number {
    return this.#bits(31);
  }

  #bits(count: number): number {
    this.#generator ??= generatorOf(this.#path);
    return (this.#generator.next() >>> 0) >>> (32 - count);
  }
}

/** The state is the first half of the path's SHA-256, as four little-endian words. */
function generatorOf(path: string): RandomGenerator {
  // One character per byte: the form in which a hash comes cheapest.
  const bytes = hash("sha256", path, "binary");
  const word = (index: number): number =>
    bytes.charCodeAt(index) |
    (bytes.charCodeAt(index + 1) << 8) |
    (bytes.charCodeAt(index + 2) << 16) |
    (bytes.charCodeAt(index + 3) << 24);
  // The last bit set: an all-zero state is the one state the generator cannot leave.
  return xoroshiro128plusFromState([word(0), word(4), word(8), word(12) | 1]);
}
