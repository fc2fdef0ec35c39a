/** How far a profile is from an equilibrium: what each seat could gain by answering the others perfectly. */
import { assert, present } from "../../base/index.ts";
import type { Branch, InformationSet, MatchTree } from "./grow-tree.ts";
import { behaviorIn, checkProfile, expectedReturns, probabilityOf, type Profile } from "./profiles.ts";

export interface BestResponse {
  /** What the seat gets. */
  readonly value: number;
  /** Its choice in each of its information sets. */
  readonly choices: Readonly<Record<string, string>>;
}

type Decision = Extract<Branch, { readonly kind: "decision" }>;

/**
 * The best that a seat can do while the others keep to the profile. In an information set it takes the
 * choice with the highest value summed over all places of the set, each weighted by how likely chance
 * and the others lead there; of equal choices the first.
 *
 * @throws `not-a-policy`
 */
export function bestResponse(tree: MatchTree, profile: Profile, seat: string): BestResponse {
  checkProfile(tree, profile);
  assert(tree.seats.includes(seat), `expected one of the seats ${tree.seats.join(", ")}, got ${seat}`);
  const places = placesOf(tree, profile, seat);
  const chosen = new Map<string, number>();
  const values = new Map<Branch, number>();
  const valueOf = (branch: Branch): number => {
    const known = values.get(branch);
    if (known !== undefined) return known;
    const value = compute(branch);
    values.set(branch, value);
    return value;
  };
  const compute = (branch: Branch): number => {
    if (branch.kind === "end") return present(branch.returns[seat], `a return of ${seat}`);
    if (branch.kind === "decision" && branch.set.seat === seat)
      return valueOf(present(branch.branches[choiceIn(branch.set)], "the branch of a choice"));
    const illegal = branch.kind === "chance" ? 0 : behaviorIn(profile, branch.set.key).illegal;
    const start = branch.kind === "chance" ? 0 : illegal * present(branch.illegalReturns[seat], "a return");
    return branch.branches.reduce(
      (sum, next, index) => sum + probabilityOf(branch, index, profile) * valueOf(next),
      start,
    );
  };
  const choiceIn = (set: InformationSet): number => {
    const known = chosen.get(set.key);
    if (known !== undefined) return known;
    const sums = set.choices.map((_choice, index) =>
      present(places.get(set.key), set.key).reduce(
        (sum, { decision, reach }) => sum + reach * valueOf(present(decision.branches[index], "a branch")),
        0,
      ),
    );
    const best = sums.indexOf(Math.max(...sums));
    chosen.set(set.key, best);
    return best;
  };
  const value = valueOf(tree.root);
  const own = [...tree.informationSets.values()].filter((set) => set.seat === seat);
  const choices = own.map((set) => [set.key, present(set.choices[choiceIn(set)], "a choice")] as const);
  return { value, choices: Object.fromEntries(choices) };
}

export interface Exploitability {
  /** Sum over the seats of what each could gain; 0 in an equilibrium. */
  readonly nashConv: number;
  /** The mean over the seats. */
  readonly exploitability: number;
  /** What each seat gets by the profile. */
  readonly returns: Readonly<Record<string, number>>;
  readonly bestResponses: Readonly<Record<string, BestResponse>>;
}

/**
 * NashConv of a profile and what it is made of. It counts what seats gain over the profile, so illegal
 * replies of a seat count as its own loss.
 *
 * @throws `not-a-policy`
 */
export function exploitabilityOf(tree: MatchTree, profile: Profile): Exploitability {
  const returns = expectedReturns(tree, profile);
  const responses = tree.seats.map((seat) => [seat, bestResponse(tree, profile, seat)] as const);
  const nashConv = responses.reduce(
    (sum, [seat, { value }]) => sum + value - present(returns[seat], `a return of ${seat}`),
    0,
  );
  return {
    nashConv,
    exploitability: nashConv / tree.seats.length,
    returns,
    bestResponses: Object.fromEntries(responses),
  };
}

interface Place {
  readonly decision: Decision;
  /** How likely chance and the others lead here, where the seat itself wants to. */
  readonly reach: number;
}

function placesOf(tree: MatchTree, profile: Profile, seat: string): ReadonlyMap<string, readonly Place[]> {
  const places = new Map<string, Place[]>();
  const walk = (branch: Branch, reach: number): void => {
    if (branch.kind === "end") return;
    const isOwn = branch.kind === "decision" && branch.set.seat === seat;
    if (isOwn) {
      const found = places.get(branch.set.key) ?? [];
      found.push({ decision: branch, reach });
      places.set(branch.set.key, found);
    }
    for (const [index, next] of branch.branches.entries())
      walk(next, isOwn ? reach : reach * probabilityOf(branch, index, profile));
  };
  walk(tree.root, 1);
  return places;
}
