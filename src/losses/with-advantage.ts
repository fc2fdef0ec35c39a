/** Puts one advantage on all tokens of a row, as every method with a reward per reply does. */
import type { Datum } from "../contract/index.ts";

/** The row with this advantage at every target; which tokens it reaches is the weights' affair. */
export function withAdvantage(datum: Datum, advantage: number): Datum {
  return { ...datum, advantages: new Float32Array(datum.targets.length).fill(advantage) };
}
