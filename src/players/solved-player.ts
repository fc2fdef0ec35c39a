/**
 * The strongest player of a small game, whatever its kind: best replies where all is known, the mixed
 * replies of an equilibrium where seats know different things.
 */
import type { JsonValue } from "../base/index.ts";
import {
  findEquilibrium,
  solveMatch,
  type Match,
  type RegretOptions,
  type TreeOptions,
} from "../games/index.ts";
import { perfectPlayer } from "./perfect-player.ts";
import type { Player } from "./player.ts";
import { profilePlayer } from "./profile-player.ts";

export interface SolvedPlayer {
  readonly player: Player;
  /** What best responses would gain on it in all seats together; null where it is exactly perfect. */
  readonly nashConv: number | null;
}

/**
 * Solves a match and seats the solution.
 *
 * @throws `not-solvable`, `no-exact-tree`, `tree-too-large`, `position-ambiguous`, `aborted`
 */
export async function solvedPlayer<Task extends JsonValue>(
  match: Match<Task>,
  task: Task,
  options: TreeOptions & RegretOptions = {},
): Promise<SolvedPlayer> {
  if (match.facts.information === "perfect") {
    const { bestChoices } = await solveMatch(match, task, options);
    return { player: perfectPlayer({ optimal: bestChoices }), nashConv: null };
  }
  const { profile, nashConv } = await findEquilibrium(match, task, options);
  return { player: profilePlayer({ name: "equilibrium", profile }), nashConv };
}
