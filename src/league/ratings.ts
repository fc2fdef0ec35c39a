/**
 * Ratings: the skill of players on one scale, with its uncertainty, from recorded matches. The
 * arithmetic is that of Glicko-2 as the package `glicko2` has it; this file decides what counts as a
 * match and in which portions. Plain JSON in and out, so that ratings can be the state of a run.
 */
import { Glicko2 } from "glicko2";
import { assert, present } from "../base/index.ts";
import type { MatchResult } from "./match-result.ts";

export type Rating = {
  readonly rating: number;
  /** A standard deviation: skill lies within two of them in 95 of 100 cases. */
  readonly deviation: number;
  /** How much the skill is expected to change from period to period. */
  readonly volatility: number;
};

/** Name of a player to its rating. */
export type Ratings = { readonly [name: string]: Rating };

/** Of a player that has not played yet. */
export const unrated: Rating = { rating: 1500, deviation: 350, volatility: 0.06 };

export interface RateOptions {
  /**
   * Matches whose ratings are computed together, in the order of the record. Default: as many as give
   * each player some fifteen, as the inventor recommends.
   *
   * @paper Glickman 2022, Example of the Glicko-2 system
   */
  readonly matchesPerPeriod?: number;
}

/**
 * Ratings after these matches. A match of more than two seats counts as one of each pair of them; a
 * player against itself says nothing. Who does not play keeps its rating as it is: frozen versions do
 * not get rusty.
 */
export function rateMatches(
  ratings: Ratings,
  results: readonly MatchResult[],
  options: RateOptions = {},
): Ratings {
  const size = options.matchesPerPeriod ?? usualPeriod(results);
  assert(Number.isInteger(size) && size > 0, `matchesPerPeriod must be a positive integer, got ${size}`);
  let rated = ratings;
  for (let start = 0; start < results.length; start += size)
    rated = ratePeriod(rated, results.slice(start, start + size));
  return rated;
}

/** What the first is expected to score against the second: 1 a win, 0.5 a draw, uncertainty counted in. */
export function expectedScore(first: Rating, second: Rating): number {
  const system = newSystem();
  return system.predict(playerOf(system, first), playerOf(system, second));
}

export interface RankedPlayer extends Rating {
  readonly name: string;
  /** Ends of the interval in which the skill lies in 95 of 100 cases. */
  readonly low: number;
  readonly high: number;
}

/** Best first. */
export function rankPlayers(ratings: Ratings): RankedPlayer[] {
  return Object.entries(ratings)
    .map(([name, rating]) => ({
      ...rating,
      name,
      low: rating.rating - 1.96 * rating.deviation,
      high: rating.rating + 1.96 * rating.deviation,
    }))
    .toSorted((a, b) => b.rating - a.rating);
}

function ratePeriod(ratings: Ratings, results: readonly MatchResult[]): Ratings {
  const system = newSystem();
  const pairs = results.flatMap(pairsOf);
  const names = new Set(pairs.flatMap(({ first, second }) => [first, second]));
  const players = new Map(
    [...names].map((name) => [name, playerOf(system, ratings[name] ?? unrated)] as const),
  );
  const playerNamed = (name: string): ReturnType<typeof playerOf> => present(players.get(name), name);
  system.updateRatings(
    pairs.map(({ first, second, score }) => [playerNamed(first), playerNamed(second), score]),
  );
  const changed = [...players].map(
    ([name, player]) =>
      [name, { rating: player.getRating(), deviation: player.getRd(), volatility: player.getVol() }] as const,
  );
  return { ...ratings, ...Object.fromEntries(changed) };
}

interface Pair {
  readonly first: string;
  readonly second: string;
  readonly score: number;
}

function pairsOf({ players, returns }: MatchResult): Pair[] {
  const seats = Object.keys(players);
  return seats.flatMap((seat, index) =>
    seats.slice(index + 1).flatMap((other) => {
      const [first, second] = [players[seat] ?? "", players[other] ?? ""];
      const difference = (returns[seat] ?? 0) - (returns[other] ?? 0);
      return first === second ? [] : [{ first, second, score: (Math.sign(difference) + 1) / 2 }];
    }),
  );
}

const recommendedMatches = 15;

function usualPeriod(results: readonly MatchResult[]): number {
  const seatCount = Object.keys(results[0]?.players ?? {}).length;
  const playerCount = new Set(results.flatMap(({ players }) => Object.values(players))).size;
  return Math.max(1, Math.ceil((recommendedMatches * playerCount) / Math.max(1, seatCount)));
}

/** 0.5 of the recommended 0.3 to 1.2: skills that change little. */
const tau = 0.5;

function newSystem(): Glicko2 {
  return new Glicko2({ tau, rating: unrated.rating, rd: unrated.deviation, vol: unrated.volatility });
}

function playerOf(
  system: Glicko2,
  { rating, deviation, volatility }: Rating,
): ReturnType<Glicko2["makePlayer"]> {
  return system.makePlayer(rating, deviation, volatility);
}
