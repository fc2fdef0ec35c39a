/** The buffers of a run, one per task type, and what is drawn from them for a step. */
import type { Random } from "spar/base";
import { drawReferences, drawTasks, grow, type TaskBuffer } from "./buffers.ts";
import type { SolvingTask } from "./episodes.ts";
import type { AbsoluteZeroOptions } from "./options.ts";
import type { InductionTask, TaskType, Triplet } from "./tasks.ts";
import type { Inspiration } from "./world.ts";

export interface Buffers {
  readonly deduction: TaskBuffer<Triplet>;
  readonly abduction: TaskBuffer<Triplet>;
  readonly induction: TaskBuffer<InductionTask>;
}

/** Valid tasks by type, in the order in which they came; the result of a step, so plain JSON. */
export type NewTasks = {
  readonly deduction: readonly Triplet[];
  readonly abduction: readonly Triplet[];
  readonly induction: readonly InductionTask[];
};

export const emptyBuffers: Buffers = { deduction: [], abduction: [], induction: [] };
export const noTasks: NewTasks = { deduction: [], abduction: [], induction: [] };

export function growAll(
  buffers: Buffers,
  tasks: NewTasks,
  at: { readonly step: number; readonly capacity: number },
): Buffers {
  return {
    deduction: grow(buffers.deduction, tasks.deduction, at),
    abduction: grow(buffers.abduction, tasks.abduction, at),
    induction: grow(buffers.induction, tasks.induction, at),
  };
}

/**
 * What a proposer is shown: references of its own type, or for induction one program of either other buffer, however
 * often it is there.
 */
export function drawInspiration(
  buffers: Buffers,
  type: TaskType,
  { count, random }: { readonly count: number; readonly random: Random },
): Inspiration | null {
  if (type !== "induction") return { type, references: drawReferences(buffers[type], count, random) };
  const programs = [...buffers.abduction, ...buffers.deduction];
  return programs.length === 0 ? null : { type, program: random.pick(programs).entry.program };
}

/** A batch of tasks to solve; fewer where a buffer is empty. */
export function drawSolving(
  buffers: Buffers,
  { taskTypes, batchSize }: Pick<AbsoluteZeroOptions, "taskTypes" | "batchSize">,
  { since, random }: { readonly since: number; readonly random: Random },
): SolvingTask[] {
  return taskTypes.flatMap((type) => {
    const draw = { count: batchSize, since, random: random.split(type) };
    const tasks = type === "induction" ? drawTasks(buffers.induction, draw) : drawTasks(buffers[type], draw);
    return tasks.map((task) => ({ type, task }));
  });
}

/** A task as it is told from others: repeats of it are counted, never dropped. */
export function keyOf(task: Triplet | InductionTask): string {
  return task.kind === "triplet"
    ? JSON.stringify([task.program, task.input])
    : JSON.stringify([task.program, task.cases.map(({ input }) => input)]);
}
