/**
 * The vocabulary of the method: task types, roles, and tasks as buffers keep them: text and plain values, never live
 * objects.
 */
import type { PythonValue } from "spar/verifiers/python";

export const taskTypes = ["deduction", "abduction", "induction"] as const;
/** Which part of (program, input, output) is hidden: the output, the input, or the program. */
export type TaskType = (typeof taskTypes)[number];
export type Role = "propose" | "solve";

/** A program with one input and what it returned: a task for deduction and for abduction. */
export type Triplet = {
  readonly kind: "triplet";
  readonly program: string;
  /** As it was proposed, where comments and the like were taken out of `program`. */
  readonly originalProgram: string;
  /** Arguments of a call, as text. */
  readonly input: string;
  readonly output: PythonValue;
  /** What the proposer thought before. */
  readonly thought: string;
};

export type Case = { readonly input: string; readonly output: PythonValue };

/** A program with cases and a message about it: a task for induction. */
export type InductionTask = {
  readonly kind: "induction";
  readonly program: string;
  readonly cases: readonly Case[];
  readonly message: string;
  readonly thought: string;
};

export type Task = Triplet | InductionTask;

/** The function of a program that is called. */
export const entryName = "f";

/**
 * The first half of the cases is shown; the others are hidden, but for those whose input was shown already.
 *
 * @paper arXiv:2505.03335v3 section 3.3.2
 */
export function splitCases(cases: readonly Case[]): {
  readonly shown: readonly Case[];
  readonly hidden: readonly Case[];
} {
  const shown = cases.slice(0, Math.floor(cases.length / 2));
  const inputs = new Set(shown.map(({ input }) => input));
  return { shown, hidden: cases.slice(shown.length).filter(({ input }) => !inputs.has(input)) };
}

/** A group that advantages are taken over. */
export function groupOf(type: TaskType, role: Role): string {
  return `${type}/${role}`;
}

export const groups: readonly string[] = taskTypes.flatMap((type) => [
  groupOf(type, "propose"),
  groupOf(type, "solve"),
]);

/** @paper arXiv:2505.03335v3 fig. 5 */
export const identityProgram = `def ${entryName}(x):\n    return x`;
