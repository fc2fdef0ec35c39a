/**
 * A pool: what a learner draws its opponents from, most often its own past versions. A pool is plain
 * JSON and every change makes a new one, so that it can be the state of a run and come back after a
 * resume; policy versions that it names are kept by the run for as long as they are in it. It holds
 * no players and knows no game: whoever draws a member seats it.
 */
import { assert } from "../base/index.ts";
import type { PolicyVersion } from "../contract/index.ts";
import { leagueError } from "./league-errors.ts";

export type PoolMember = {
  readonly name: string;
  /** The weights behind it; null for a script or a remote model. */
  readonly version: PolicyVersion | null;
  /** Games of the learner against it, as the learner fared; later ones count more. */
  readonly wins: number;
  readonly draws: number;
  readonly losses: number;
};

export type Pool = {
  /** Most members. */
  readonly capacity: number;
  /**
   * Who leaves where one too many comes: the `oldest`, or the `easiest`, which is the one that the
   * learner beats most often (of equals the older). The newcomer stays in any case.
   */
  readonly eviction: "oldest" | "easiest";
  /**
   * How much a game still counts after one more against the same member. The learner changes: what it
   * lost long ago says little. At 0.99 the last hundred games make up most of a record.
   *
   * @paper Vinyals et al. 2019 (AlphaStar), pseudocode of the league: payoff decay 0.99
   */
  readonly memory: number;
  /** Oldest first. */
  readonly members: readonly PoolMember[];
};

export interface PoolOptions {
  readonly capacity: number;
  /** Default `oldest`. */
  readonly eviction?: Pool["eviction"];
  /** Default 0.99. */
  readonly memory?: number;
}

export function createPool(options: PoolOptions): Pool {
  const { capacity, eviction = "oldest", memory = 0.99 } = options;
  assert(Number.isInteger(capacity) && capacity > 0, `capacity must be a positive integer, got ${capacity}`);
  assert(memory > 0 && memory <= 1, `memory must be above 0 and at most 1, got ${memory}`);
  return { capacity, eviction, memory, members: [] };
}

/** The pool with a newcomer, and without whoever had to leave for it. A member of its name is replaced. */
export function addToPool(
  pool: Pool,
  { name, version }: { readonly name: string; readonly version: PolicyVersion | null },
): Pool {
  const others = pool.members.filter((member) => member.name !== name);
  const leaving = others.length < pool.capacity ? null : evicted(pool.eviction, others);
  const staying = others.filter((member) => member !== leaving);
  return { ...pool, members: [...staying, { name, version, wins: 0, draws: 0, losses: 0 }] };
}

/**
 * The pool after a game of the learner against a member.
 *
 * @throws `pool-member-unknown`
 */
export function recordGame(pool: Pool, name: string, result: "win" | "draw" | "loss"): Pool {
  checkMember(pool, name);
  const members = pool.members.map((member) => {
    if (member.name !== name) return member;
    const kept = (count: number, isThis: boolean): number => count * pool.memory + (isThis ? 1 : 0);
    return {
      ...member,
      wins: kept(member.wins, result === "win"),
      draws: kept(member.draws, result === "draw"),
      losses: kept(member.losses, result === "loss"),
    };
  });
  return { ...pool, members };
}

/** The share that the learner wins of its games against a member, a draw being half; 0.5 before the first. */
export function winRate({ wins, draws, losses }: PoolMember): number {
  const games = wins + draws + losses;
  return games === 0 ? 0.5 : (wins + draws / 2) / games;
}

function evicted(rule: Pool["eviction"], members: readonly PoolMember[]): PoolMember | null {
  const [oldest, ...others] = members;
  if (oldest === undefined) return null;
  if (rule === "oldest") return oldest;
  return others.reduce((easiest, member) => (winRate(member) > winRate(easiest) ? member : easiest), oldest);
}

function checkMember(pool: Pool, name: string): void {
  if (pool.members.some((member) => member.name === name)) return;
  throw leagueError(
    "pool-member-unknown",
    `the pool has no member ${name}`,
    `it has ${pool.members.map((member) => member.name).join(", ") || "none"}; a member that left takes its record with it`,
  );
}
