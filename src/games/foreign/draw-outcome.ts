/** Chance of other people's games: outcomes with probabilities, drawn at the table. */
import { assert, present } from "../../base/index.ts";
import type { Table } from "../game.ts";

export interface WeightedOutcome {
  readonly action: number;
  readonly probability: number;
}

/** Dice and cards have small denominators; beyond this chance is drawn from the reals. */
const largestDenominator = 1000;
const roundingTolerance = 1e-9;

/**
 * Draws an action. Where all probabilities are multiples of one 1/n, it is a draw among n outcomes,
 * which exact analysis can follow; else it is not.
 */
export function drawOutcome(table: Table, label: string, outcomes: readonly WeightedOutcome[]): number {
  assert(outcomes.length > 0, `expected outcomes of ${label}, got none`);
  const equallyLikely = asEquallyLikely(outcomes);
  if (equallyLikely !== null) return table.draw(label, equallyLikely);
  let left = table.random(label).uniform() * outcomes.reduce((sum, { probability }) => sum + probability, 0);
  for (const { action, probability } of outcomes) {
    left -= probability;
    if (left < 0) return action;
  }
  // Rounding left a little: the last one that can be.
  return present(
    outcomes.findLast(({ probability }) => probability > 0),
    "an outcome that can be",
  ).action;
}

/** Every action as often as it is likely; null where there is no such list of reasonable length. */
export function asEquallyLikely(outcomes: readonly WeightedOutcome[]): readonly number[] | null {
  for (let count = outcomes.length; count <= largestDenominator; count++) {
    const times = outcomes.map(({ probability }) => probability * count);
    if (times.some((one) => Math.abs(one - Math.round(one)) > roundingTolerance * count)) continue;
    return outcomes.flatMap(({ action }, index) =>
      Array.from({ length: Math.round(times[index] ?? 0) }, () => action),
    );
  }
  return null;
}
