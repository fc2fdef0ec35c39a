/**
 * The average of profiles over time, as in fictitious play and regret minimisation: the profile that
 * gets what a seat would get who picks one of the past ones at the start and keeps to it. Plain data,
 * so that a run can keep it as state.
 */
import type { Branch, InformationSet, MatchTree } from "./grow-tree.ts";
import {
  behaviorIn,
  checkProfile,
  probabilityOf,
  uniformBehavior,
  type Behavior,
  type Profile,
} from "./profiles.ts";

/** Sums over the profiles so far, by key of the information set. */
export type ProfileSum = {
  readonly [key: string]: {
    /** Sum of weight times the seat's own reach. */
    readonly weight: number;
    readonly choices: { readonly [choice: string]: number };
    readonly illegal: number;
  };
};

/**
 * Adds a profile: in each information set its behavior counts by the probability with which the seat's
 * own replies lead there. It is the average strategy of Zinkevich et al. (NeurIPS 2007).
 *
 * @throws `not-a-policy`
 */
export function addToAverage(
  tree: MatchTree,
  sum: ProfileSum,
  { profile, weight = 1 }: { readonly profile: Profile; readonly weight?: number },
): ProfileSum {
  checkProfile(tree, profile);
  const reaches = ownReaches(tree, profile);
  return Object.fromEntries(
    [...tree.informationSets].map(([key, set]) => {
      const { choices, illegal } = behaviorIn(profile, key);
      const own = weight * (reaches.get(key) ?? 0);
      const earlier = sum[key];
      const sums = {
        weight: (earlier?.weight ?? 0) + own,
        choices: perChoice(set, (choice) => (earlier?.choices[choice] ?? 0) + own * (choices[choice] ?? 0)),
        illegal: (earlier?.illegal ?? 0) + own * illegal,
      };
      return [key, sums];
    }),
  );
}

/** The average; uniform where no profile ever led. */
export function averageProfile(tree: MatchTree, sum: ProfileSum): Profile {
  return Object.fromEntries([...tree.informationSets].map(([key, set]) => [key, averageIn(set, sum[key])]));
}

function averageIn(set: InformationSet, sum: ProfileSum[string] | undefined): Behavior {
  if (sum === undefined || sum.weight === 0) return uniformBehavior(set);
  const choices = perChoice(set, (choice) => (sum.choices[choice] ?? 0) / sum.weight);
  return { choices, illegal: sum.illegal / sum.weight };
}

function perChoice(
  set: Pick<InformationSet, "choices">,
  numberOf: (choice: string) => number,
): { readonly [choice: string]: number } {
  return Object.fromEntries(set.choices.map((choice) => [choice, numberOf(choice)]));
}

/** How likely a seat's own replies are to lead to each of its information sets; the same at all places of a set. */
function ownReaches(tree: MatchTree, profile: Profile): ReadonlyMap<string, number> {
  const reaches = new Map<string, number>();
  const walk = (branch: Branch, own: Readonly<Record<string, number>>): void => {
    if (branch.kind === "end") return;
    const seat = branch.kind === "decision" ? branch.set.seat : null;
    const reach = seat === null ? 1 : (own[seat] ?? 1);
    if (branch.kind === "decision") reaches.set(branch.set.key, reach);
    for (const [index, next] of branch.branches.entries()) {
      const deeper = seat === null ? own : { ...own, [seat]: reach * probabilityOf(branch, index, profile) };
      walk(next, deeper);
    }
  };
  walk(tree.root, {});
  return reaches;
}
