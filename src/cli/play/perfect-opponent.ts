/**
 * The solution of a game as an opponent: best replies where all is known, the mixed replies of an
 * equilibrium where seats know different things. Solved while the person waits, and says how far it is.
 */
import { isSparError, SparError } from "../../base/index.ts";
import { solvedPlayer, type Player } from "../../players/index.ts";
import { countOf } from "../terminal/format.ts";
import type { OpponentRequest } from "./opponent.ts";

export interface PerfectOpponent {
  readonly player: Player;
  readonly label: string;
}

/** @throws `no-perfect-player`, `aborted` */
export async function perfectOpponent(request: OpponentRequest): Promise<PerfectOpponent> {
  const { match, task, services, signal, shell } = request;
  const say = (how: string): void => shell.screen.live(`solving ${match.id}${how}`);
  say("");
  try {
    const { player, nashConv } = await solvedPlayer(match, task ?? match.defaultTask, {
      services,
      signal,
      onVisits: (count) => say(count === 0 ? "" : `, ${countOf(count, "place")} of its tree so far`),
      onProgress: ({ iterationCount, nashConv }) =>
        say(`, ${countOf(iterationCount, "iteration")}, NashConv ${figure(nashConv)}`),
    });
    const label =
      nashConv === null ? "a perfect player" : `an equilibrium player, NashConv ${figure(nashConv)}`;
    return { player, label };
  } catch (thrown) {
    if (!isSparError(thrown) || signal.aborted) throw thrown;
    throw new SparError({
      code: "no-perfect-player",
      boundary: "command",
      message: `${match.id} cannot be solved: ${thrown.message}`,
      hint: "perfect is for two seats of which one gets what the other loses, in a small game; play against random, a run, or a model behind an address",
      cause: thrown,
    });
  } finally {
    shell.screen.live(null);
  }
}

/** Exactly solved games have a NashConv of 0 but for rounding. */
function figure(nashConv: number): string {
  return Math.max(0, nashConv).toFixed(4);
}
