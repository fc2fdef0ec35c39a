/**
 * Walks the exact tree of a match by playing it again along a path. Whoever analyses games exactly
 * stands on this; it knows no rules and keeps nothing between two calls.
 */
import type { JsonValue } from "../../base/index.ts";
import type { Match } from "../match.ts";
import { breathe } from "./breathe.ts";
import type { TreeNode, TreeOptions, TreePath } from "./nodes.ts";
import { PathTable } from "./path-table.ts";
import { treeError } from "./tree-errors.ts";

/**
 * Where a match stands after a path. Replies need not be legal: what the rules do with an illegal one
 * is what follows.
 *
 * @throws `no-exact-tree` for a game that asks several seats at once, uses siblings, `random` or services
 * that are not given, or asks without choices or position; what a service throws
 */
export async function nextNode<Task extends JsonValue>(
  match: Match<Task>,
  task: Task,
  path: TreePath,
  { services = {} }: TreeOptions = {},
): Promise<TreeNode> {
  const table = new PathTable(match, path, services);
  const ended = match.play(table, structuredClone(task));
  const outcome = await Promise.race([table.stopped, ended]);
  const { node } = table;
  if (node !== null) return node;
  if (outcome === undefined) throw treeError("no-exact-tree", `expected an outcome of ${match.id}, got none`);
  if (table.playedStepCount < path.length) {
    const rest = path.slice(table.playedStepCount).join(", ");
    throw treeError("no-exact-tree", `expected ${match.id} to go on with ${rest}, it had ended`);
  }
  return { kind: "end", outcome };
}

/** Places that one analysis visits at most. */
const maximumNodes = 2_000_000;
/** A few milliseconds of a small game. */
const visitsPerBreath = 128;

/**
 * `nextNode` for one analysis, which ends where the tree is too large or nobody waits for it any more.
 *
 * @throws `tree-too-large`, `aborted`
 */
export function treeWalker<Task extends JsonValue>(
  match: Match<Task>,
  task: Task,
  options: TreeOptions = {},
): (path: TreePath) => Promise<TreeNode> {
  let visitedCount = 0;
  return async (path) => {
    if (visitedCount % visitsPerBreath === 0) {
      options.onVisits?.(visitedCount);
      await breathe(options.signal, `the analysis of ${match.id}`);
    }
    if (++visitedCount > maximumNodes)
      throw treeError(
        "tree-too-large",
        `expected a tree of at most ${maximumNodes} places, ${match.id} has more`,
      );
    return nextNode(match, task, path, options);
  };
}
