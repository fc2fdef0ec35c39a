/**
 * A seat filled by a profile: it replies with the probabilities that the profile gives its position. With
 * the profile of an equilibrium nobody can gain on it; an average of past policies plays too. It knows no
 * rules.
 */
import type { Random } from "../base/index.ts";
import { informationSetKey, type Behavior, type Profile } from "../games/index.ts";
import { positionOf, positionUnknown } from "./known-position.ts";
import type { Player } from "./player.ts";
import { scriptedPlayer } from "./scripted-player.ts";

export interface ProfilePlayerOptions {
  /** In records; default `profile`. */
  readonly name?: string;
  /** Of the game that it is to play, for all seats that it is to fill. */
  readonly profile: Profile;
}

/** What a profile counts as illegal is played as this. */
const illegalReply = "";

/** Makes a player that keeps to a profile. Its replies throw `position-missing`, `position-unknown`. */
export function profilePlayer({ name = "profile", profile }: ProfilePlayerOptions): Player {
  return scriptedPlayer({
    name,
    reply: (request, random) => {
      const key = informationSetKey(request.seat, positionOf(request, name));
      const behavior = Object.hasOwn(profile, key) ? profile[key] : undefined;
      if (behavior === undefined) throw positionUnknown(request, name);
      return draw(behavior, random);
    },
  });
}

function draw({ choices, illegal }: Behavior, random: Random): string {
  const replies = [...Object.entries(choices), [illegalReply, illegal] as const].filter(
    ([, share]) => share > 0,
  );
  // Probabilities add up to 1 but for rounding.
  const total = replies.reduce((sum, [, share]) => sum + share, 0);
  let left = random.split("reply").uniform() * total;
  for (const [reply, share] of replies) {
    left -= share;
    if (left < 0) return reply;
  }
  return replies.at(-1)?.[0] ?? illegalReply;
}
