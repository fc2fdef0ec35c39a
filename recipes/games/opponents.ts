/**
 * Who sits opposite: nobody but the policy itself, a past version in a share of the games, or a player
 * of random legal moves. A learner meets an opponent in each seat equally often.
 */
import type { PolicyVersion } from "spar/contract";
import {
  addToPool,
  createPool,
  fareOf,
  recordGame,
  sampleOpponent,
  type OpponentSampling,
  type Pool,
} from "spar/league";
import { randomPlayer } from "spar/players";
import type { Run, Step } from "spar/train";
import type { GamesOptions } from "./options.ts";
import { playerOf, type LearnersGame, type OpponentOf } from "./self-play.ts";
import type { World } from "./worlds.ts";

/** The versions that play the seats; the same in all where one model plays them all. */
export type SeatVersions = { readonly [seat: string]: PolicyVersion };

/** A pool for each seat, with the past versions of whoever plays it. */
export type Pools = { readonly [seat: string]: Pool };

const samplings: Readonly<Record<GamesOptions["pool"]["strategy"], OpponentSampling>> = {
  latest: { kind: "latest" },
  uniform: { kind: "uniform" },
  "prioritised-hard": { kind: "prioritised", weighting: "hard" },
  "prioritised-even": { kind: "prioritised", weighting: "even" },
};

/** The pools with the versions of this update in them. */
export function withVersions(
  pools: Pools,
  versions: SeatVersions,
  { update, size }: { readonly update: number; readonly size: number },
): Pools {
  const grown = Object.entries(versions).map(([seat, version]) => {
    const pool = pools[seat] ?? createPool({ capacity: size });
    return [seat, addToPool(pool, { name: String(update), version })] as const;
  });
  return Object.fromEntries(grown);
}

/** The pools after these games: who was met, and how the learner fared. */
export function withGames(pools: Pools, games: readonly LearnersGame[]): Pools {
  const changed: Record<string, Pool> = { ...pools };
  for (const { episode, opponent, learners } of games) {
    const [learnerSeat] = learners;
    const { outcome } = episode;
    if (opponent?.member === undefined || outcome === null || learnerSeat === undefined) continue;
    const pool = changed[opponent.seat];
    if (pool === undefined) continue;
    changed[opponent.seat] = recordGame(pool, opponent.member, fareOf(outcome, learnerSeat));
  }
  return changed;
}

/** One random player, in each seat in turn. */
export function randomOpponents(world: World): (update: number) => OpponentOf {
  const player = randomPlayer();
  return () => (game) => ({ seat: seatInTurn(world, game), player });
}

/** As the options say; `poolsNow` gives the pools as they stand when an update begins. */
export function opponentsOf(
  run: Run<GamesOptions>,
  world: World,
  { step, poolsNow }: { readonly step: Step; readonly poolsNow: () => Pools },
): (update: number) => OpponentOf {
  const { opponent, pool: chosen } = run.options;
  if (opponent === "mirror") return () => () => null;
  if (opponent === "random") return randomOpponents(world);
  return (update) => {
    const pools = poolsNow();
    return (game) => {
      const random = step.random.split("opponent", update, game);
      const seat = seatInTurn(world, game);
      const pool = pools[seat];
      if (pool === undefined || random.uniform() >= chosen.share) return null;
      const { name, version } = sampleOpponent(pool, samplings[chosen.strategy], random);
      if (version === null) return null;
      return { seat, member: name, player: playerOf(run, world, { version, name: "past", kind: "frozen" }) };
    };
  };
}

function seatInTurn({ match }: World, game: number): string {
  return match.seats[game % match.seats.length] ?? "";
}
