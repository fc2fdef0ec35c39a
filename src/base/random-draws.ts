/** What can be drawn from uniform numbers, the same for every source of them. Knows no seeds and no labels. */
import { assert } from "./assert.ts";
import type { Label, Random } from "./random.ts";

export abstract class RandomDraws implements Random {
  abstract split(...labels: readonly Label[]): Random;
  abstract uniform(): number;
  abstract seed(): number;

  integer(bound: number): number {
    assert(Number.isSafeInteger(bound) && bound > 0, () => `bound must be a positive integer, got ${bound}`);
    return Math.floor(this.uniform() * bound);
  }

  normal(): number {
    return Math.sqrt(-2 * Math.log(1 - this.uniform())) * Math.cos(2 * Math.PI * this.uniform());
  }

  shuffle<T>(items: readonly T[]): T[] {
    const shuffled = [...items];
    for (let last = shuffled.length - 1; last > 0; last--) {
      const other = this.integer(last + 1);
      [shuffled[last], shuffled[other]] = [shuffled[other] as never, shuffled[last] as never];
    }
    return shuffled;
  }

  pick<T>(items: readonly T[]): T {
    return items[this.integer(items.length)] as T;
  }
}
