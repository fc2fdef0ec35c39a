/** A tree in the form in which regret is minimised quickly: numbers instead of names, one learner per information set. */
import { present } from "../../base/index.ts";
import type { Branch, InformationSet, MatchTree } from "./grow-tree.ts";
import { uniformBehavior, type Behavior, type Profile } from "./profiles.ts";
import { treeError } from "./tree-errors.ts";

/** What is learnt in one information set; the numbers stand in the order of its choices. */
export interface Learner {
  readonly set: InformationSet;
  /** 1 where the first seat is asked, -1 where the second is. */
  readonly seat: 1 | -1;
  readonly regrets: Float64Array;
  /** What this pass adds to the regrets. */
  readonly gains: Float64Array;
  readonly strategy: Float64Array;
  /** Of the average. */
  readonly sums: Float64Array;
}

export type Place =
  /** What the first seat gets; the second gets the opposite. */
  | { readonly kind: "end"; readonly value: number }
  | { readonly kind: "chance"; readonly places: readonly Place[] }
  | { readonly kind: "decision"; readonly learner: Learner; readonly places: readonly Place[] };

/** Returns further from zero than this do not add up to it. */
const sumTolerance = 1e-9;

/** @throws `not-solvable` */
export function compile(tree: MatchTree): {
  readonly root: Place;
  readonly learners: readonly Learner[];
  readonly placeCount: number;
} {
  const [first, second, ...others] = tree.seats;
  if (first === undefined || second === undefined || others.length > 0)
    throw treeError("not-solvable", `expected a tree of two seats, it has ${tree.seats.length}`);
  const learners = new Map(
    [...tree.informationSets].map(
      ([key, set]) => [key, learnerOf(set, set.seat === first ? 1 : -1)] as const,
    ),
  );
  let placeCount = 0;
  const placeOf = (branch: Branch): Place => {
    placeCount++;
    if (branch.kind === "end") {
      const value = present(branch.returns[first], `a return of ${first}`);
      const sum = value + present(branch.returns[second], `a return of ${second}`);
      if (Math.abs(sum) <= sumTolerance) return { kind: "end", value };
      throw treeError("not-solvable", `expected returns that add up to zero, an end has the sum ${sum}`);
    }
    const places = branch.branches.map(placeOf);
    if (branch.kind === "chance") return { kind: "chance", places };
    const learner = present(learners.get(branch.set.key), branch.set.key);
    return { kind: "decision", learner, places };
  };
  return { root: placeOf(tree.root), learners: [...learners.values()], placeCount };
}

function learnerOf(set: InformationSet, seat: 1 | -1): Learner {
  const count = set.choices.length;
  const zeros = (): Float64Array => new Float64Array(count);
  const strategy = zeros().fill(1 / count);
  return { set, seat, regrets: zeros(), gains: zeros(), strategy, sums: zeros() };
}

/** The average of what was played so far; uniform where play never led. */
export function averageOf(learners: readonly Learner[]): Profile {
  return Object.fromEntries(learners.map((learner) => [learner.set.key, averageIn(learner)]));
}

function averageIn({ set, sums }: Learner): Behavior {
  const total = sums.reduce((sum, one) => sum + one, 0);
  if (total === 0) return uniformBehavior(set);
  const choices = set.choices.map((choice, index) => [choice, (sums[index] ?? 0) / total] as const);
  return { choices: Object.fromEntries(choices), illegal: 0 };
}
