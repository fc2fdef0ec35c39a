/**
 * Verdicts from executions. Three values: pass, fail with a reason, and error, which is the sandbox's fault and never a
 * reward of 0. Nothing is executed here.
 */
import type { Verdict } from "../../records/index.ts";
import { compareValues, incomparableIn } from "./equality.ts";
import { explainExecution, type PythonExecution } from "./execution.ts";
import type { PythonValue } from "./python-value.ts";
import { showValue } from "./show-value.ts";

/** Passes where the execution returned a value equal to the expected one, as Python's `==` has it. */
export function judgeValue(execution: PythonExecution, expected: PythonValue): Verdict {
  if (execution.kind === "error") return { kind: "error", error: explainExecution(execution) };
  if (execution.kind !== "value") return { kind: "fail", reason: explainExecution(execution) };
  const comparison = compareValues(execution.value, expected);
  if (comparison === "equal") return { kind: "pass" };
  if (comparison === "different") {
    return {
      kind: "fail",
      reason: `returned ${showValue(execution.value)}, expected ${showValue(expected)}`,
    };
  }
  return { kind: "fail", reason: `cannot be compared: ${comparison.incomparable}` };
}

/** Passes where the query ran to its end, as tests of asserts do. */
export function judgeCompletion(execution: PythonExecution): Verdict {
  if (execution.kind === "error") return { kind: "error", error: explainExecution(execution) };
  return execution.kind === "value"
    ? { kind: "pass" }
    : { kind: "fail", reason: explainExecution(execution) };
}

/**
 * Passes where executions under different environment seeds returned equal values: nothing hangs on clock, chance, order
 * of hashes or addresses, and the value can be compared at all.
 */
export function judgeDeterminism(executions: readonly PythonExecution[]): Verdict {
  const [first, ...others] = executions;
  if (first?.kind !== "value") return first === undefined ? nothing : judgeValue(first, null);
  const incomparable = incomparableIn(first.value);
  if (incomparable !== null) return { kind: "fail", reason: `cannot be compared: ${incomparable}` };
  for (const other of others) {
    const verdict = judgeValue(other, first.value);
    if (verdict.kind !== "pass")
      return verdict.kind === "error"
        ? verdict
        : { kind: "fail", reason: `not the same twice: ${verdict.reason}` };
  }
  return { kind: "pass" };
}

const nothing: Verdict = { kind: "error", error: "there is no execution to judge" };

/** The verdict in one line. */
export function explainVerdict(verdict: Verdict): string {
  switch (verdict.kind) {
    case "pass":
      return "passed";
    case "fail":
      return `failed: ${verdict.reason}`;
    case "error":
      return `could not be judged: ${verdict.error}`;
  }
}
