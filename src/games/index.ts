/** Rules of games, the table that they are played on, and the exact analysis of small ones. */
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
export { openSpielMatch } from "./foreign/open-spiel-match.ts";
export { textArenaMatch, type TextArenaTask } from "./foreign/textarena-match.ts";
export { defineMatch, forfeit, type Match, type MatchFacts, type MatchOutcome } from "./match.ts";
export { addToAverage, averageProfile, type ProfileSum } from "./tree/average-profile.ts";
export {
  bestResponse,
  exploitabilityOf,
  type BestResponse,
  type Exploitability,
} from "./tree/best-response.ts";
export { findEquilibrium, type Equilibrium } from "./tree/find-equilibrium.ts";
export { growTree, type Branch, type InformationSet, type MatchTree } from "./tree/grow-tree.ts";
export {
  minimizeRegret,
  type MinimizedRegret,
  type RegretOptions,
  type RegretProgress,
} from "./tree/minimize-regret.ts";
export { nextNode } from "./tree/next-node.ts";
export {
  informationSetKey,
  type ChanceNode,
  type DecisionNode,
  type EndNode,
  type TreeNode,
  type TreeOptions,
  type TreePath,
  type TreeServices,
} from "./tree/nodes.ts";
export {
  expectedReturns,
  profileOf,
  profileOfSeats,
  uniformBehavior,
  type Behavior,
  type Profile,
} from "./tree/profiles.ts";
export {
  scoreAgainstPerfect,
  type PerfectOpposition,
  type ScoreAgainstPerfect,
} from "./tree/score-against-perfect.ts";
export { solveMatch, type Solution, type SolvedPosition } from "./tree/solve-match.ts";
