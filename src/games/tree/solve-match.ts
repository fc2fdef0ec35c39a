/**
 * Solves a match of two seats with perfect information: what every position is worth when both go on
 * perfectly, and which choices are best there. For perfect players and for exact figures against them.
 */
import { present, type JsonValue } from "../../base/index.ts";
import type { Match } from "../match.ts";
import { treeWalker } from "./next-node.ts";
import { informationSetKey, type DecisionNode, type TreeOptions, type TreePath } from "./nodes.ts";
import { treeError } from "./tree-errors.ts";
import { twoSeatsOf } from "./two-seats.ts";

export interface SolvedPosition {
  readonly seat: string;
  readonly position: string;
  /** What the seat to move gets from here. */
  readonly value: number;
  /** What each choice is worth to it. */
  readonly choiceValues: Readonly<Record<string, number>>;
  /** The choices that keep the value, ties kept. */
  readonly bestChoices: readonly string[];
}

export interface Solution {
  /** What each seat gets where all play perfectly. */
  readonly returns: Readonly<Record<string, number>>;
  /** Every position that legal play can reach, by `informationSetKey`. */
  readonly positions: ReadonlyMap<string, SolvedPosition>;
  /** The best choices of a seat in a position, which a perfect player asks for; none where legal play never leads there. */
  readonly bestChoices: (seat: string, position: string) => readonly string[];
}

/** Values nearer than this are equal: expectations over chance are sums of fractions. */
const tieTolerance = 1e-9;

/**
 * Backward induction with one evaluation per position: about 16,000 plays for tic-tac-toe.
 *
 * @throws `not-solvable` for more than two seats, hidden information (`findEquilibrium` is for that), or
 * returns that add up to something; `no-exact-tree`, `tree-too-large`, `aborted`
 */
export async function solveMatch<Task extends JsonValue>(
  match: Match<Task>,
  task: Task,
  options: TreeOptions = {},
): Promise<Solution> {
  const [first, second] = seatsOf(match);
  const walk = treeWalker(match, task, options);
  const positions = new Map<string, SolvedPosition>();
  /** What the first seat gets; the second gets the opposite. */
  const valueOf = async (path: TreePath): Promise<number> => {
    const node = await walk(path);
    if (node.kind === "end") return present(node.outcome.returns[first], `a return of ${first}`);
    if (node.kind === "chance") {
      let sum = 0;
      for (let index = 0; index < node.count; index++) sum += await valueOf([...path, index]);
      return sum / node.count;
    }
    const isFirst = node.seat === first;
    const key = informationSetKey(node.seat, node.position);
    const known = positions.get(key);
    if (known !== undefined) return isFirst ? known.value : 0 - known.value;
    const values: [string, number][] = [];
    for (const choice of node.choices) {
      const value = await valueOf([...path, choice]);
      values.push([choice, isFirst ? value : 0 - value]);
    }
    const solved = solvedPosition(node, values);
    positions.set(key, solved);
    return isFirst ? solved.value : 0 - solved.value;
  };
  const value = await valueOf([]);
  return {
    returns: { [first]: value, [second]: 0 - value },
    positions,
    bestChoices: (seat, position) => positions.get(informationSetKey(seat, position))?.bestChoices ?? [],
  };
}

function solvedPosition(node: DecisionNode, values: readonly [string, number][]): SolvedPosition {
  const value = Math.max(...values.map(([, one]) => one));
  const bestChoices = values.filter(([, one]) => one >= value - tieTolerance).map(([choice]) => choice);
  const { seat, position } = node;
  return { seat, position, value, choiceValues: Object.fromEntries(values), bestChoices };
}

function seatsOf(match: Pick<Match, "id" | "seats" | "facts">): readonly [string, string] {
  const { information } = match.facts;
  if (information !== "perfect")
    throw treeError("not-solvable", `expected perfect information, ${match.id} states ${information}`);
  return twoSeatsOf(match);
}
