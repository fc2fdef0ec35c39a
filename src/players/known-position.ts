/** What players that look up a position say where there is none, or none that they know. */
import type { SparError } from "../base/index.ts";
import type { PlayerRequest } from "./player.ts";
import { playerError } from "./player-errors.ts";

/** @throws `position-missing` */
export function positionOf({ seat, position }: PlayerRequest, playerName: string): string {
  if (position !== null) return position;
  throw playerError(
    "position-missing",
    `the player ${playerName} looks up the position of seat ${seat}, and the game gave none`,
    { hint: "give `position` with the ask of the game" },
  );
}

export function positionUnknown({ seat, position }: PlayerRequest, playerName: string): SparError {
  return playerError(
    "position-unknown",
    `the solution of the player ${playerName} has no position of seat ${seat} like ${JSON.stringify(position)}`,
    { hint: "solve the game for the same task and the same rules as it is played by" },
  );
}
