/**
 * A seat filled by the solution of a game: among the best replies of a position all are equally
 * likely. With an error rate it is a player of known skill, between perfect and random. It knows no
 * rules; the solution is looked up. Where replies must be mixed, `profilePlayer` is the player for it.
 */
import { positionOf, positionUnknown } from "./known-position.ts";
import type { Player, PlayerRequest } from "./player.ts";
import { choicesOf } from "./random-player.ts";
import { scriptedPlayer } from "./scripted-player.ts";

/** The best replies of a seat where it knows this position; empty for positions that play never reaches. */
export type OptimalReplies = (seat: string, position: string) => readonly string[];

export interface PerfectPlayerOptions {
  /** Default `perfect`. */
  readonly name?: string;
  readonly optimal: OptimalReplies;
  /** The share of turns that are played as a random player would; default 0. */
  readonly errorRate?: number;
}

/** Makes a player that follows a solution. Its replies throw `position-missing`, `position-unknown`, `choices-missing`. */
export function perfectPlayer(options: PerfectPlayerOptions): Player {
  const { name = "perfect", errorRate = 0 } = options;
  if (!(errorRate >= 0 && errorRate <= 1))
    throw new RangeError(`errorRate must be a share from 0 to 1, got ${errorRate}`);
  return scriptedPlayer({
    name,
    reply: (request, random) => {
      const best = bestReplies(request, name, options.optimal);
      return random.split("error").uniform() < errorRate
        ? random.split("choice").pick(choicesOf(request, name))
        : random.split("best").pick(best);
    },
  });
}

function bestReplies(request: PlayerRequest, name: string, optimal: OptimalReplies): readonly string[] {
  const best = optimal(request.seat, positionOf(request, name));
  if (best.length === 0) throw positionUnknown(request, name);
  return best;
}
