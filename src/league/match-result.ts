/** What is left of a match for comparing players: who sat where and what each seat got. */
import type { MatchOutcome } from "../games/index.ts";
import type { PlayedEpisode } from "../rollouts/index.ts";

export type MatchResult = {
  /** Seat to the name of its player. */
  readonly players: { readonly [seat: string]: string };
  /** Seat to what it got. */
  readonly returns: { readonly [seat: string]: number };
  readonly forfeitedBy: string | null;
};

/** How a seat fared: against the best of the others. */
export function fareOf({ returns }: Pick<MatchResult, "returns">, seat: string): "win" | "draw" | "loss" {
  const own = returns[seat] ?? 0;
  const best = Math.max(...Object.entries(returns).flatMap(([other, got]) => (other === seat ? [] : [got])));
  return own > best ? "win" : own < best ? "loss" : "draw";
}

/**
 * The results of recorded matches; of those that failed there is none. Players go by the name in
 * their reference, versions of one name by name and number: `policy@3`.
 */
export function matchResultsOf(
  played: readonly Pick<PlayedEpisode<MatchOutcome>, "start" | "outcome">[],
): MatchResult[] {
  return played.flatMap(({ start, outcome }) => {
    if (outcome === null) return [];
    const names = Object.entries(start.seats).map(
      ([seat, { name, version }]) => [seat, version === null ? name : `${name}@${version.number}`] as const,
    );
    const { returns, forfeitedBy } = outcome;
    return [{ players: Object.fromEntries(names), returns, forfeitedBy }];
  });
}
