/** What solvers ask of a match before they begin: two seats, one of which gets what the other loses. */
import type { Match } from "../match.ts";
import { treeError } from "./tree-errors.ts";

/** The seats, the first one first. @throws `not-solvable` */
export function twoSeatsOf(match: Pick<Match, "id" | "seats" | "facts">): readonly [string, string] {
  const [first, second, ...others] = match.seats;
  if (first === undefined || second === undefined || others.length > 0)
    throw treeError("not-solvable", `expected two seats, ${match.id} has ${match.seats.length}`);
  if (!match.facts.isZeroSum)
    throw treeError(
      "not-solvable",
      `expected returns that add up to zero, ${match.id} states isZeroSum false`,
    );
  return [first, second];
}
