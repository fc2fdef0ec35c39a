/**
 * Solves a match of two seats in which the seats may know different things: how to mix replies so that
 * nobody can gain by knowing it. For equilibrium players; `solveMatch` is quicker for perfect information.
 */
import type { JsonValue } from "../../base/index.ts";
import type { Match } from "../match.ts";
import { growTree, type MatchTree } from "./grow-tree.ts";
import { minimizeRegret, type MinimizedRegret, type RegretOptions } from "./minimize-regret.ts";
import type { TreeOptions } from "./nodes.ts";
import { twoSeatsOf } from "./two-seats.ts";

export interface Equilibrium extends MinimizedRegret {
  /** For whoever goes on to measure profiles. */
  readonly tree: MatchTree;
}

/**
 * Grows the tree and minimises regret in it. How near the equilibrium it came is the `nashConv` of the
 * result, which stays above the target where the iterations did not suffice.
 *
 * @throws `not-solvable` for more than two seats, or returns that add up to something; `no-exact-tree`,
 * `tree-too-large`, `position-ambiguous`, `aborted`
 */
export async function findEquilibrium<Task extends JsonValue>(
  match: Match<Task>,
  task: Task,
  options: TreeOptions & RegretOptions = {},
): Promise<Equilibrium> {
  twoSeatsOf(match);
  const tree = await growTree(match, task, options);
  return { ...(await minimizeRegret(tree, options)), tree };
}
