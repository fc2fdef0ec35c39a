/** From finished episodes to what is learned: responses with their rewards, and what there is to count of them. */
import type { Turn } from "spar/records";
import { canonicalJson } from "spar/base";
import type { PlayedEpisode } from "spar/rollouts";
import { addCounts, noCounts, type Counts } from "./counts.ts";
import { keyOf, type NewTasks } from "./buffer-set.ts";
import { proposerSeat, type Proposed, type Solved, type SolvingTask } from "./episodes.ts";
import { intrinsicValues, probabilityOf, withIntrinsic, type IntrinsicOptions } from "./intrinsic.ts";
import { badFormatReward, learnability, proposerReward, solverReward } from "./learnability.ts";
import { meanOf } from "./mean.ts";
import type { AbsoluteZeroOptions } from "./options.ts";
import type { Proposal } from "./propose.ts";
import { groupOf, type Role, type Task } from "./tasks.ts";

/** A reply that is trained on. */
export interface Response {
  readonly turn: Turn;
  readonly role: Role;
  /** What its reward is compared with. */
  readonly group: string;
  readonly reward: number;
}

export interface Read {
  readonly responses: readonly Response[];
  readonly counts: Counts;
}

/** What proposals are compared with. */
export interface Known {
  /** `keyOf` of all tasks in the buffers. */
  readonly keys: ReadonlySet<string>;
  /** How often each output occurred in the buffers; for the reward for rare answers alone. */
  readonly outputs: ReadonlyMap<string, number>;
}

export function readProposals(
  proposals: readonly Proposal[],
  options: Pick<AbsoluteZeroOptions, "unlearnable" | "intrinsic" | "rolloutCount">,
  known: Known,
): Read {
  const responses: Response[] = [];
  const counts: Counts[] = [];
  const programs = new Set<string>();
  for (const { inspiration, episode } of proposals) {
    const { outcome } = episode;
    if (outcome === null || outcome.kind === "neutral") {
      counts.push({ neutral: 1 });
      continue;
    }
    const reward = proposalReward(outcome, options, known);
    const turn = episode.turns.find(({ seat, spans }) => seat === proposerSeat && spans.length > 0);
    if (turn !== undefined && reward !== null)
      responses.push({ turn, role: "propose", group: groupOf(inspiration.type, "propose"), reward });
    counts.push(countsOf(outcome, known), { [`${inspiration.type}/proposed`]: 1 });
    if (outcome.kind === "valid") {
      programs.add(outcome.task.program);
      counts.push({ [`${inspiration.type}/valid`]: 1 });
    }
  }
  return { responses, counts: addCounts(noCounts, ...counts, { programs: programs.size }) };
}

/** Null where no rollout could be judged. */
export function proposalReward(
  outcome: Exclude<Proposed, { kind: "neutral" }>,
  { unlearnable, intrinsic }: Pick<AbsoluteZeroOptions, "unlearnable" | "intrinsic">,
  { outputs }: Known,
): number | null {
  if (outcome.kind === "invalid") return badFormatReward;
  if (outcome.scores.length === 0) return null;
  const { isWellFormed, scores, measures, task } = outcome;
  const extrinsic = proposerReward({ kind: "valid", isWellFormed, solveRate: meanOf(scores) }, unlearnable);
  if (measures === null) return extrinsic;
  const values = intrinsicValues(measures, probabilityOf(outputKey(task), outputs));
  return withIntrinsic(extrinsic, values, intrinsicOptionsOf(intrinsic));
}

function intrinsicOptionsOf(intrinsic: AbsoluteZeroOptions["intrinsic"]): IntrinsicOptions {
  const { maximum, combination, ...coefficients } = intrinsic;
  return { coefficients, maximum, combination };
}

/** What a task comes to: the output, or for induction the program. */
export function outputKey(task: Task): string {
  return task.kind === "induction" ? task.program : canonicalJson(task.output);
}

function countsOf(outcome: Exclude<Proposed, { kind: "neutral" }>, { keys }: Known): Counts {
  if (outcome.kind === "invalid") return { proposed: 1, [`invalid/${outcome.stage}`]: 1 };
  const { task, scores, unjudgedCount } = outcome;
  const duplicate = keys.has(keyOf(task)) ? { duplicate: 1 } : {};
  const base = { proposed: 1, valid: 1, unjudged: unjudgedCount, ...duplicate };
  if (scores.length === 0) return base;
  const rate = meanOf(scores);
  const solved = scores.filter((score) => score > 0).length;
  return {
    ...base,
    estimated: 1,
    [`solved/${solved}`]: 1,
    ...(learnability(rate) > 0 ? { learnable: 1 } : {}),
  };
}

export function readAnswers(
  solving: readonly SolvingTask[],
  episodes: readonly PlayedEpisode<Solved>[],
): Read {
  const responses: Response[] = [];
  const counts: Counts[] = [];
  for (const [index, { outcome, turns }] of episodes.entries()) {
    const type = solving[index]?.type ?? "deduction";
    const [turn] = turns;
    if (outcome === null || outcome.kind === "neutral" || turn === undefined) {
      counts.push({ neutral: 1 });
      continue;
    }
    const { verdict } = outcome;
    responses.push({ turn, role: "solve", group: groupOf(type, "solve"), reward: solverReward(outcome) });
    const right = verdict.kind === "pass" ? { right: 1, [`${type}/right`]: 1 } : {};
    counts.push({ answered: 1, [`${type}/answered`]: 1, ...right });
  }
  return { responses, counts: addCounts(noCounts, ...counts) };
}

/** Valid proposals, in order: what the buffers grow by, whatever it earned. */
export function validTasks(proposals: readonly Proposal[]): NewTasks {
  const deduction: NewTasks["deduction"][number][] = [];
  const abduction: NewTasks["abduction"][number][] = [];
  const induction: NewTasks["induction"][number][] = [];
  for (const { inspiration, episode } of proposals) {
    if (episode.outcome?.kind !== "valid") continue;
    const { task } = episode.outcome;
    if (task.kind === "induction") induction.push(task);
    else if (inspiration.type === "deduction") deduction.push(task);
    else abduction.push(task);
  }
  return { deduction, abduction, induction };
}
