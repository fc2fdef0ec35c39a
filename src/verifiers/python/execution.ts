/**
 * What became of a request: the execution. A program's own failures (exceptions, limits) are executions like its values;
 * only a fault of the sandbox is an error. Verdicts are made from executions in `verdict.ts`.
 */
import { showValue } from "./show-value.ts";
import type { PythonValue } from "./python-value.ts";

/** What a program may use up. `time` is time on the processor. */
export type PythonLimit = "time" | "memory" | "output";

/**
 * Why the sandbox has no answer: its interpreter did not start, ended twice without being driven to it, or the machine gave it no
 * time on a processor.
 */
export type SandboxErrorKind = "start-failed" | "lost" | "starved";

export type PythonExecution =
  | { readonly kind: "value"; readonly value: PythonValue; readonly output: string }
  | {
      readonly kind: "exception";
      /** The type, such as `ZeroDivisionError`; `InterpreterEnded` where the program broke or ended its interpreter. */
      readonly name: string;
      readonly message: string;
      /** Where the exception came from: the program, or the query that was put to it. */
      readonly where: "program" | "query";
      /** In that text, counted from 1; null where it has no line. */
      readonly line: number | null;
      readonly output: string;
    }
  | {
      readonly kind: "limit";
      readonly limit: PythonLimit;
      /** Whether a fresh worker came to the same end. */
      readonly isConfirmed: boolean;
    }
  | { readonly kind: "error"; readonly error: SandboxErrorKind; readonly message: string };

/** The execution in one line. */
export function explainExecution(execution: PythonExecution): string {
  switch (execution.kind) {
    case "value":
      return `returned ${showValue(execution.value)}`;
    case "exception": {
      const place = execution.line === null ? "" : ` in line ${execution.line}`;
      const message = execution.message === "" ? "" : `: ${oneLine(execution.message)}`;
      return `raised ${execution.name}${place} of the ${execution.where}${message}`;
    }
    case "limit":
      return `used up its ${execution.limit}${execution.isConfirmed ? ", twice" : ""}`;
    case "error":
      return `was not executed (${execution.error}): ${oneLine(execution.message)}`;
  }
}

function oneLine(text: string): string {
  const line = text.replaceAll(/\s+/gu, " ").trim();
  return line.length <= 200 ? line : `${line.slice(0, 200)}...`;
}
