/**
 * How a round went, seat by seat, and what is known to go wrong with self-play: one seat wins
 * everything, so that no return tells one move from another, or a seat forfeits before it can learn.
 */
import type { MatchOutcome } from "spar/games";
import type { PlayedEpisode } from "spar/rollouts";
import type { GamesOptions } from "./options.ts";

export type SeatCounts = { readonly won: number; readonly forfeited: number };

export type OutcomeCounts = {
  /** Finished games; failed ones count nowhere. */
  readonly games: number;
  readonly seats: { readonly [seat: string]: SeatCounts };
};

export const emptyCounts: OutcomeCounts = { games: 0, seats: {} };

export function countOutcomes(
  counts: OutcomeCounts,
  games: readonly Pick<PlayedEpisode<MatchOutcome>, "outcome">[],
): OutcomeCounts {
  const seats: Record<string, SeatCounts> = { ...counts.seats };
  let gameCount = counts.games;
  for (const { outcome } of games) {
    if (outcome === null) continue;
    gameCount++;
    for (const [seat, seatReturn] of Object.entries(outcome.returns)) {
      const before = seats[seat] ?? { won: 0, forfeited: 0 };
      seats[seat] = {
        won: before.won + (seatReturn > 0 ? 1 : 0),
        forfeited: before.forfeited + (outcome.forfeitedBy === seat ? 1 : 0),
      };
    }
  }
  return { games: gameCount, seats };
}

export function forfeitShare({ games, seats }: OutcomeCounts): number {
  const forfeited = Object.values(seats).reduce((sum, seat) => sum + seat.forfeited, 0);
  return games === 0 ? 0 : forfeited / games;
}

/** What a person should know while it can still be stopped. */
export function collapseAlarms(
  options: Pick<GamesOptions, "seatShareAlarm" | "forfeitShareAlarm" | "updatesPerRound">,
  { games, seats }: OutcomeCounts,
  update: number,
): string[] {
  if (games === 0) return [];
  return Object.entries(seats).flatMap(([seat, { won, forfeited }]) => {
    const messages: string[] = [];
    if (won / games >= options.seatShareAlarm) {
      messages.push(
        `Alarm at update ${update}: seat ${seat} won ${percent(won / games)} of the games; returns no longer tell moves apart. Raise the entropy bonus or lower the learning rate`,
      );
    }
    if (forfeited / games >= options.forfeitShareAlarm && update > options.updatesPerRound) {
      messages.push(
        `Alarm at update ${update}: seat ${seat} forfeited ${percent(forfeited / games)} of the games. Raise the entropy bonus or lower the learning rate`,
      );
    }
    return messages;
  });
}

function percent(share: number): string {
  return `${(100 * share).toFixed(0)} %`;
}
