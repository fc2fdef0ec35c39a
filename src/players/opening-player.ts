/**
 * A seat whose conversations are opened by one player and gone on with by another: random first moves
 * before a policy, a fixed opening before a person. It knows no rules.
 */
import type { Player } from "./player.ts";

export interface OpeningPlayerOptions {
  /** Gives the first reply of every conversation. */
  readonly opening: Player;
  /** Gives all others. */
  readonly continuing: Player;
}

/** Makes a player of two. A reply is the first where nothing was said before it in its conversation. */
export function openingPlayer({ opening, continuing }: OpeningPlayerOptions): Player {
  const { name } = continuing.reference;
  return {
    reference: { ...continuing.reference, name: `${name} after ${opening.reference.name}` },
    reply: (request, call) => (request.history.length === 0 ? opening : continuing).reply(request, call),
  };
}
