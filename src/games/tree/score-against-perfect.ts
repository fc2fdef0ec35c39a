/**
 * Plays one seat's replies through every line of an opponent: exact figures where sampling would give
 * noise. Replies come from outside, a whole level of the tree at a time, so that an engine can give
 * them in one batch; this file knows no engine and no rules.
 */
import { assert, present, type JsonValue } from "../../base/index.ts";
import type { Match, MatchOutcome } from "../match.ts";
import { treeWalker } from "./next-node.ts";
import type { DecisionNode, TreeNode, TreeOptions, TreePath } from "./nodes.ts";
import type { Solution } from "./solve-match.ts";

export interface PerfectOpposition<Task extends JsonValue> extends TreeOptions {
  readonly match: Match<Task>;
  readonly task: Task;
  /** The seat whose replies are judged. */
  readonly seat: string;
  /** The match solved for this task. */
  readonly solution: Solution;
  /** One reply per node, the same whenever it is asked; illegal ones are played as they are. */
  readonly reply: (nodes: readonly DecisionNode[]) => Promise<readonly string[]>;
}

/** Shares of games against an opponent who picks uniformly among its best choices; exact but for rounding. */
export interface ScoreAgainstPerfect {
  readonly winShare: number;
  readonly drawShare: number;
  /** Games in which the seat got less than its opponent; those lost by an illegal reply included. */
  readonly lossShare: number;
  /** Games that ended with an illegal or unreadable reply of the seat. */
  readonly illegalShare: number;
  readonly expectedReturn: number;
  /** The least that any opponent can leave the seat, one that plays worse moves to trick it included. */
  readonly worstReturn: number;
  /** Whether some line of an opponent gives the seat less than it gives the opponent. */
  readonly isBeatable: boolean;
  /** Replies that were asked for. */
  readonly replyCount: number;
}

interface Line {
  readonly path: TreePath;
  /** The probability of the line against the perfect opponent; 0 where it is there for the worst case alone. */
  readonly weight: number;
}

/** @throws `no-exact-tree`, `tree-too-large` */
export async function scoreAgainstPerfect<Task extends JsonValue>(
  options: PerfectOpposition<Task>,
): Promise<ScoreAgainstPerfect> {
  const walk = treeWalker(options.match, options.task, options);
  const ends: End[] = [];
  let replyCount = 0;
  let lines: readonly Line[] = [{ path: [], weight: 1 }];
  while (lines.length > 0) {
    const asked = await playOn(lines, { ...options, walk, ends });
    const replies = await options.reply(asked.map(({ node }) => node));
    assert(replies.length === asked.length, `expected ${asked.length} replies, got ${replies.length}`);
    replyCount += replies.length;
    lines = asked.map(({ line }, index) => ({
      path: [...line.path, present(replies[index], "a reply")],
      weight: line.weight,
    }));
  }
  return { ...scoreOf(ends, options.seat), replyCount };
}

interface End {
  readonly outcome: MatchOutcome;
  readonly weight: number;
}

interface Asked {
  readonly line: Line;
  readonly node: DecisionNode;
}

/** Follows all lines through chance and the opponent's choices to where the seat is asked again. */
async function playOn(
  lines: readonly Line[],
  place: {
    readonly seat: string;
    readonly solution: Solution;
    readonly walk: (path: TreePath) => Promise<TreeNode>;
    readonly ends: End[];
  },
): Promise<readonly Asked[]> {
  const asked: Asked[] = [];
  const open = lines.toReversed();
  for (let line = open.pop(); line !== undefined; line = open.pop()) {
    const { path, weight } = line;
    const node = await place.walk(path);
    if (node.kind === "end") place.ends.push({ outcome: node.outcome, weight });
    else if (node.kind === "decision" && node.seat === place.seat) asked.push({ line, node });
    else open.push(...branches(node, line, place.solution).toReversed());
  }
  return asked;
}

function branches(node: Exclude<TreeNode, { kind: "end" }>, line: Line, solution: Solution): Line[] {
  const { path, weight } = line;
  if (node.kind === "chance")
    return Array.from({ length: node.count }, (_value, index) => ({
      path: [...path, index],
      weight: weight / node.count,
    }));
  const best = solution.bestChoices(node.seat, node.position);
  assert(best.length > 0, `expected a solution of this task, it lacks ${node.seat}: ${node.position}`);
  return node.choices.map((choice) => ({
    path: [...path, choice],
    weight: best.includes(choice) ? weight / best.length : 0,
  }));
}

function scoreOf(ends: readonly End[], seat: string): Omit<ScoreAgainstPerfect, "replyCount"> {
  const judged = ends.map(({ outcome, weight }) => {
    const own = present(outcome.returns[seat], `a return of ${seat}`);
    const [others = 0] = Object.entries(outcome.returns).flatMap(([one, value]) =>
      one === seat ? [] : [value],
    );
    return { weight, own, margin: own - others, isIllegal: outcome.forfeitedBy === seat };
  });
  const shareOf = (holds: (end: (typeof judged)[number]) => boolean): number =>
    judged.reduce((sum, end) => sum + (holds(end) ? end.weight : 0), 0);
  return {
    winShare: shareOf(({ margin }) => margin > 0),
    drawShare: shareOf(({ margin }) => margin === 0),
    lossShare: shareOf(({ margin }) => margin < 0),
    illegalShare: shareOf(({ isIllegal }) => isIllegal),
    expectedReturn: judged.reduce((sum, { own, weight }) => sum + own * weight, 0),
    worstReturn: Math.min(...judged.map(({ own }) => own)),
    isBeatable: judged.some(({ margin }) => margin < 0),
  };
}
