/** A seat filled by chance: every reply that the game lists is equally likely. The weakest player that keeps the rules. */
import type { Player, PlayerRequest } from "./player.ts";
import { playerError } from "./player-errors.ts";
import { scriptedPlayer } from "./scripted-player.ts";

/** Makes a player that picks one of `choices`. Its replies throw `choices-missing` where a game lists none. */
export function randomPlayer(name: string = "random"): Player {
  return scriptedPlayer({ name, reply: (request, random) => random.pick(choicesOf(request, name)) });
}

/**
 * The replies that the game lists.
 *
 * @throws `choices-missing`
 */
export function choicesOf(request: PlayerRequest, playerName: string): readonly string[] {
  const { choices, seat } = request;
  if (choices !== null && choices.length > 0) return choices;
  const found = choices === null ? "none were listed" : "the list was empty";
  throw playerError(
    "choices-missing",
    `the player ${playerName} picks from the choices of seat ${seat}, and ${found}`,
    { hint: "give `choices` with the ask of the game, or seat a player that reads the prompt" },
  );
}
