/** What a match must be for its tree to be walked exactly, as errors for the author of the game. */
import { SparError } from "../../base/index.ts";

export type TreeErrorCode =
  | "no-exact-tree"
  | "not-solvable"
  | "tree-too-large"
  | "position-ambiguous"
  | "not-a-policy";

const hints: Readonly<Record<TreeErrorCode, string>> = {
  "no-exact-tree":
    "exact analysis needs a game that asks one seat at a time with choices and a position, and whose chance is table.draw alone; play and sample it otherwise",
  "not-solvable":
    "solvers are for two seats whose returns add up to zero; of other games measure with exploitabilityOf, or sample plays",
  "tree-too-large": "analyse a smaller task of the game, or sample plays instead",
  "position-ambiguous":
    "make the position tell all that the seat knows, its own replies included, and nothing that it does not know",
  "not-a-policy": "give a probability for every choice of every information set, and the rest to illegal",
};

export function treeError(code: TreeErrorCode, message: string): SparError {
  return new SparError({ code, boundary: "game", message, hint: hints[code] });
}
