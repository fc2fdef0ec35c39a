/**
 * From a proposal to a task, in the order of the paper: format, safety, integrity, determinism. What fails is no task: it
 * is not stored and nobody is asked to solve it.
 *
 * @paper arXiv:2505.03335v3 section 3.3.3
 */
import type { CallOptions } from "spar/base";
import { explainExecution, judgeDeterminism, type PythonExecution } from "spar/verifiers/python";
import type { Executor } from "./judge.ts";
import type { ParsedProposal } from "./parsed.ts";
import { literalOf } from "./python-literal.ts";
import { bannedUse } from "./python-text.ts";
import { entryName, splitCases, type Case, type Task } from "./tasks.ts";

export const validationStages = ["format", "safety", "integrity", "determinism"] as const;
export type ValidationStage = (typeof validationStages)[number];

export type Validation =
  | { readonly kind: "valid"; readonly task: Task; readonly isWellFormed: boolean }
  | { readonly kind: "invalid"; readonly stage: ValidationStage; readonly reason: string }
  /** The sandbox failed: nobody knows whether it is a task. */
  | { readonly kind: "error"; readonly error: string };

export interface ValidationRules {
  readonly bannedModules: readonly string[];
  /** Whether a function may return None. */
  readonly acceptsNone: boolean;
  /** Longest output as text; a longer one fits no prompt. */
  readonly maxOutputCharacters: number;
}

type Call = Pick<CallOptions, "signal">;

/** @shape program: what the cases of an induction proposal are about */
export async function validate(
  executor: Executor,
  rules: ValidationRules,
  proposal: ParsedProposal,
  { program, signal }: Call & { readonly program?: string },
): Promise<Validation> {
  const call = signal === undefined ? {} : { signal };
  switch (proposal.kind) {
    case "unreadable":
      return { kind: "invalid", stage: "format", reason: proposal.reason };
    case "triplet": {
      const banned = bannedUse(proposal.program, rules.bannedModules);
      if (banned !== null) return { kind: "invalid", stage: "safety", reason: `uses ${banned}` };
      const { program: proposed, input, thought, isWellFormed } = proposal;
      const checked = await checkCase(executor, rules, { program: proposed, input }, call);
      if (checked.kind !== "case") return checked;
      const { output } = checked.found;
      const task = {
        kind: "triplet",
        program: proposed,
        originalProgram: proposed,
        input,
        output,
        thought,
      } as const;
      return { kind: "valid", task, isWellFormed };
    }
    case "cases":
      return validateCases(executor, rules, proposal, { program: program ?? "", call });
  }
}

/** One input that fails makes the whole proposal fail. */
async function validateCases(
  executor: Executor,
  rules: ValidationRules,
  { inputs, message, thought, isWellFormed }: Extract<ParsedProposal, { kind: "cases" }>,
  { program, call }: { readonly program: string; readonly call: Call },
): Promise<Validation> {
  const checks = await Promise.all(
    inputs.map(async (input) => checkCase(executor, rules, { program, input }, call)),
  );
  const failed = checks.find(({ kind }) => kind === "invalid") ?? checks.find(({ kind }) => kind === "error");
  if (failed !== undefined && failed.kind !== "case") return failed;
  const cases = checks.flatMap((check) => (check.kind === "case" ? [check.found] : []));
  if (splitCases(cases).hidden.length === 0)
    return { kind: "invalid", stage: "integrity", reason: "every hidden input is shown already" };
  return { kind: "valid", task: { kind: "induction", program, cases, message, thought }, isWellFormed };
}

type CheckedCase = { readonly kind: "case"; readonly found: Case } | Exclude<Validation, { kind: "valid" }>;

/**
 * Runs the program twice. The second time hashes, addresses, clock and chance are others, and what counts is the second of
 * two calls in one interpreter, each with arguments made anew: whatever is kept between calls shows too.
 */
async function checkCase(
  { sandbox, limits }: Executor,
  rules: ValidationRules,
  { program, input }: { readonly program: string; readonly input: string },
  call: Call,
): Promise<CheckedCase> {
  const once = await sandbox.run(
    { program, query: { call: entryName, arguments: input, mode: "data" }, limits, environmentSeed: 0 },
    call,
  );
  const unfit = integrityProblem(once, rules);
  if (once.kind !== "value" || unfit !== null) return unfit ?? invalid("integrity", explainExecution(once));
  // That these are the arguments of one call was proved just now.
  const query = `(${entryName}(${input}\n), ${entryName}(${input}\n))[1]`;
  const again = await sandbox.run({ program, query, limits, environmentSeed: 1 }, call);
  const verdict = judgeDeterminism([once, again]);
  if (verdict.kind === "error") return verdict;
  if (verdict.kind === "fail") return invalid("determinism", verdict.reason);
  return { kind: "case", found: { input, output: once.value } };
}

function integrityProblem(
  execution: PythonExecution,
  rules: ValidationRules,
): Exclude<CheckedCase, { kind: "case" }> | null {
  if (execution.kind === "error") return { kind: "error", error: explainExecution(execution) };
  if (execution.kind !== "value") return invalid("integrity", explainExecution(execution));
  if (execution.value === null && !rules.acceptsNone)
    return invalid("integrity", "expected something to be returned, got None");
  const length = literalOf(execution.value)?.length ?? 0;
  if (length <= rules.maxOutputCharacters) return null;
  return invalid(
    "integrity",
    `expected an output of at most ${rules.maxOutputCharacters} characters, got ${length}`,
  );
}

function invalid(stage: ValidationStage, reason: string): Extract<Validation, { kind: "invalid" }> {
  return { kind: "invalid", stage, reason };
}
