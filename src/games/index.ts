/** Rules of games and the table that they are played on. */
export {
  defineGame,
  type Ask,
  type CallOutcome,
  type Game,
  type Reply,
  type Segment,
  type Table,
  type TurnView,
} from "./game.ts";
export { defineMatch, forfeit, type Match, type MatchFacts, type MatchOutcome } from "./match.ts";
