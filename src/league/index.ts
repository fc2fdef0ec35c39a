/** Who meets whom, and who is better: pools of opponents, cross-play, ratings. */
export {
  playCrossPlay,
  type Contestant,
  type CrossPlay,
  type CrossPlayCell,
  type CrossPlayOptions,
} from "./cross-play.ts";
export type { LeagueErrorCode } from "./league-errors.ts";
export { fareOf, matchResultsOf, type MatchResult } from "./match-result.ts";
export { opponentProbabilities, sampleOpponent, type OpponentSampling } from "./opponent-sampling.ts";
export {
  addToPool,
  createPool,
  recordGame,
  winRate,
  type Pool,
  type PoolMember,
  type PoolOptions,
} from "./pool.ts";
export {
  expectedScore,
  rankPlayers,
  rateMatches,
  unrated,
  type RankedPlayer,
  type RateOptions,
  type Rating,
  type Ratings,
} from "./ratings.ts";
export { crossPlayTable, ratingsTable, reportTable, type LeagueTable, type TableReport } from "./tables.ts";
