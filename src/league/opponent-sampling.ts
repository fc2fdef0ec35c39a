/**
 * Who of a pool is the next opponent: the latest, anyone, or whoever there is most to learn from by
 * the learner's win rate. Pure; chance is an argument.
 */
import { present, type Random } from "../base/index.ts";
import { leagueError } from "./league-errors.ts";
import { winRate, type Pool, type PoolMember } from "./pool.ts";

/**
 * `prioritised` draws by weights of the win rate p: `hard` (1 - p)^2 for those that the learner loses
 * to, `even` p (1 - p) for those of its own strength.
 *
 * @paper Vinyals et al. 2019 (AlphaStar), Methods, prioritised fictitious self-play: f_hard, f_var
 */
export type OpponentSampling =
  | { readonly kind: "latest" }
  | { readonly kind: "uniform" }
  | { readonly kind: "prioritised"; readonly weighting: "hard" | "even" };

/**
 * How likely each member is to be drawn, in the order of the pool. Where no member has any weight,
 * because the learner beats them all, everyone is equally likely.
 *
 * @throws `pool-empty`
 */
export function opponentProbabilities(pool: Pool, sampling: OpponentSampling): number[] {
  const { members } = pool;
  if (members.length === 0) {
    throw leagueError(
      "pool-empty",
      "an opponent was to be drawn from a pool without members",
      "add a version before the first draw: the untrained policy is a usual first one",
    );
  }
  const weights = members.map((member, index) => weightOf(sampling, member, index === members.length - 1));
  const sum = weights.reduce((total, weight) => total + weight, 0);
  return weights.map((weight) => (sum === 0 ? 1 / members.length : weight / sum));
}

/**
 * A member by these probabilities.
 *
 * @throws `pool-empty`
 */
export function sampleOpponent(pool: Pool, sampling: OpponentSampling, random: Random): PoolMember {
  const probabilities = opponentProbabilities(pool, sampling);
  let left = random.uniform();
  const index = probabilities.findIndex((probability) => (left -= probability) < 0);
  // Rounding may leave a rest: then the last one that can be drawn at all.
  const chosen = index >= 0 ? index : probabilities.findLastIndex((probability) => probability > 0);
  return present(pool.members[chosen], "a member of the pool");
}

function weightOf(sampling: OpponentSampling, member: PoolMember, isLatest: boolean): number {
  switch (sampling.kind) {
    case "latest":
      return isLatest ? 1 : 0;
    case "uniform":
      return 1;
    case "prioritised": {
      const p = winRate(member);
      return sampling.weighting === "hard" ? (1 - p) ** 2 : p * (1 - p);
    }
  }
}
