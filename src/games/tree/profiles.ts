/**
 * Profiles: what every seat does in every information set, as probabilities, and what the seats then
 * get. Exact in float64. Plain data, so that a profile can be stored.
 */
import { present } from "../../base/index.ts";
import type { Branch, InformationSet, MatchTree } from "./grow-tree.ts";
import { treeError } from "./tree-errors.ts";

/** What a seat does in one information set. The probabilities of all choices and `illegal` add up to 1. */
export type Behavior = {
  readonly choices: { readonly [choice: string]: number };
  /** The probability of a reply that the rules refuse. */
  readonly illegal: number;
};

/** By key of the information set, for all seats. */
export type Profile = { readonly [key: string]: Behavior };

/** What rounding may do to probabilities of an engine in 32 bits, and to one that is the rest to 1. */
const roundingTolerance = 1e-5;

/** Every choice equally likely. */
export function uniformBehavior(set: Pick<InformationSet, "choices">): Behavior {
  return {
    choices: Object.fromEntries(set.choices.map((choice) => [choice, 1 / set.choices.length])),
    illegal: 0,
  };
}

/** A profile from a function of the information set. */
export function profileOf(tree: MatchTree, behave: (set: InformationSet) => Behavior): Profile {
  return Object.fromEntries([...tree.informationSets].map(([key, set]) => [key, behave(set)]));
}

/**
 * The profile of a table where each seat keeps to a profile of its own, such as two players whose
 * exploitability together is to be known. Of each, only what it does in its own seat counts.
 *
 * @throws `not-a-policy` where a seat has none
 */
export function profileOfSeats(tree: MatchTree, bySeat: Readonly<Record<string, Profile>>): Profile {
  return profileOf(tree, ({ key, seat }) => {
    const behavior = bySeat[seat]?.[key];
    if (behavior !== undefined) return behavior;
    throw treeError(
      "not-a-policy",
      `expected a profile of seat ${seat} with a behavior for "${key}", found none`,
    );
  });
}

/** What each seat gets on average. @throws `not-a-policy` */
export function expectedReturns(tree: MatchTree, profile: Profile): Readonly<Record<string, number>> {
  checkProfile(tree, profile);
  const returns = new Map(tree.seats.map((seat) => [seat, 0]));
  const add = (ends: Readonly<Record<string, number>>, weight: number): void => {
    for (const [seat, sum] of returns)
      returns.set(seat, sum + weight * present(ends[seat], `a return of ${seat}`));
  };
  const walk = (branch: Branch, weight: number): void => {
    if (weight === 0) return;
    if (branch.kind === "end") return add(branch.returns, weight);
    if (branch.kind === "decision")
      add(branch.illegalReturns, weight * behaviorIn(profile, branch.set.key).illegal);
    for (const [index, next] of branch.branches.entries())
      walk(next, weight * probabilityOf(branch, index, profile));
  };
  walk(tree.root, 1);
  return Object.fromEntries(returns);
}

/** How likely chance or the profile takes a branch. */
export function probabilityOf(
  branch: Exclude<Branch, { readonly kind: "end" }>,
  index: number,
  profile: Profile,
): number {
  if (branch.kind === "chance") return 1 / branch.branches.length;
  return behaviorIn(profile, branch.set.key).choices[branch.set.choices[index] ?? ""] ?? 0;
}

export function behaviorIn(profile: Profile, key: string): Behavior {
  return present(profile[key], `a behavior for ${key}`);
}

/** @throws `not-a-policy` */
export function checkProfile(tree: MatchTree, profile: Profile): void {
  for (const [key, set] of tree.informationSets) {
    const behavior = profile[key];
    if (behavior === undefined)
      throw treeError("not-a-policy", `expected a behavior for "${key}", found none`);
    const probabilities = [...set.choices.map((choice) => behavior.choices[choice] ?? NaN), behavior.illegal];
    const sum = probabilities.reduce((total, one) => total + one, 0);
    const isSound =
      probabilities.every((one) => one >= -roundingTolerance) && Math.abs(sum - 1) <= roundingTolerance;
    if (isSound && Object.keys(behavior.choices).length === set.choices.length) continue;
    throw treeError(
      "not-a-policy",
      `expected probabilities of ${set.choices.join(", ")} and illegal for "${key}" that add up to 1, got ${JSON.stringify(behavior)}`,
    );
  }
}
