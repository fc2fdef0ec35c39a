/**
 * The whole tree of a small match with its information sets: what a seat cannot tell apart is one of
 * them. For games with hidden information, where positions cannot be valued one by one.
 */
import { canonicalJson, present, type JsonValue } from "../../base/index.ts";
import type { Match } from "../match.ts";
import { treeWalker } from "./next-node.ts";
import {
  informationSetKey,
  type DecisionNode,
  type TreeNode,
  type TreeOptions,
  type TreePath,
} from "./nodes.ts";
import { treeError } from "./tree-errors.ts";

/** All places where a seat knows the same. The decision is that of one of them; they have the same words and choices. */
export interface InformationSet extends DecisionNode {
  readonly key: string;
}

export type Branch =
  | {
      readonly kind: "decision";
      readonly set: InformationSet;
      /** What follows each choice, in the order of `set.choices`. */
      readonly branches: readonly Branch[];
      /** What an illegal reply leaves each seat. */
      readonly illegalReturns: Readonly<Record<string, number>>;
    }
  | { readonly kind: "chance"; readonly branches: readonly Branch[] }
  | { readonly kind: "end"; readonly returns: Readonly<Record<string, number>> };

export interface MatchTree {
  readonly seats: readonly string[];
  readonly root: Branch;
  /** By key, in the order in which a walk meets them. */
  readonly informationSets: ReadonlyMap<string, InformationSet>;
}

/**
 * @throws `no-exact-tree`; `tree-too-large`; `position-ambiguous` where equal positions of a seat come
 * with other words, other choices, or after other replies of its own
 */
export async function growTree<Task extends JsonValue>(
  match: Match<Task>,
  task: Task,
  options: TreeOptions = {},
): Promise<MatchTree> {
  const walk = treeWalker(match, task, options);
  const sets = new Map<string, { readonly set: InformationSet; readonly recall: string }>();
  const grow = async (path: TreePath, recalls: Readonly<Record<string, string>>): Promise<Branch> => {
    const node = await walk(path);
    if (node.kind === "end") return { kind: "end", returns: node.outcome.returns };
    const branches: Branch[] = [];
    if (node.kind === "chance") {
      for (let index = 0; index < node.count; index++) branches.push(await grow([...path, index], recalls));
      return { kind: "chance", branches };
    }
    const { seat } = node;
    const key = informationSetKey(seat, node.position);
    const recall = recalls[seat] ?? "";
    const earlier = sets.get(key);
    if (earlier === undefined) sets.set(key, { set: { ...node, key }, recall });
    else checkSame(earlier, node, recall);
    const { set } = present(sets.get(key), key);
    for (const choice of set.choices) {
      const deeper = { ...recalls, [seat]: canonicalJson([key, choice]) };
      branches.push(await grow([...path, choice], deeper));
    }
    const illegalReturns = returnsOfIllegal(await walk([...path, illegalReply]), match, seat);
    return { kind: "decision", set, branches, illegalReturns };
  };
  const root = await grow([], {});
  const informationSets = new Map([...sets].map(([key, { set }]) => [key, set]));
  return { seats: match.seats, root, informationSets };
}

/** No rules accept it. */
const illegalReply = "";

function returnsOfIllegal(
  node: TreeNode,
  match: { readonly id: string },
  seat: string,
): Readonly<Record<string, number>> {
  if (node.kind === "end" && node.outcome.forfeitedBy === seat) return node.outcome.returns;
  throw treeError("no-exact-tree", `expected ${match.id} to end where seat ${seat} says nothing, it goes on`);
}

/** One information set has one list of choices, one text to read, and one past of the seat's own replies. */
function checkSame(
  earlier: { readonly set: InformationSet; readonly recall: string },
  node: DecisionNode,
  recall: string,
): void {
  const { set } = earlier;
  const differs = [
    { what: "other choices", isSo: !sameJson(set.choices, node.choices) },
    { what: "other words", isSo: !sameJson([set.context, set.prompt], [node.context, node.prompt]) },
    { what: "another past of its own replies", isSo: earlier.recall !== recall },
  ].filter(({ isSo }) => isSo);
  if (differs.length === 0) return;
  const what = differs.map((one) => one.what).join(" and ");
  throw treeError(
    "position-ambiguous",
    `expected one information set of seat ${set.seat} in the position "${set.position}", it comes with ${what}`,
  );
}

function sameJson(a: unknown, b: unknown): boolean {
  return JSON.stringify(a) === JSON.stringify(b);
}
