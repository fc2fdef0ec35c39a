/** Measures of programs, taken in the sandbox by `measures.py`, which reads them and executes none. */
import { readFileSync } from "node:fs";
import type { CallOptions } from "spar/base";
import type { PythonExecution, PythonValue } from "spar/verifiers/python";
import type { Executor } from "./judge.ts";
import { literalOf } from "./python-literal.ts";

export type Measures = {
  /** Breaks in the flow, weighted by how deep they are nested. */
  readonly cognitive: number;
  readonly cyclomatic: number;
  /** Halstead's. */
  readonly volume: number;
  readonly effort: number;
  /** Mean distance of the syntax tree to those of the references, 0 to 1. */
  readonly distance: number;
};

type Call = Pick<CallOptions, "signal">;

const source = readFileSync(new URL("measures.py", import.meta.url), "utf8");

/** Null where the program cannot be read, or the sandbox failed. */
export async function measureProgram(
  executor: Executor,
  program: string,
  references: readonly string[],
  call: Call = {},
): Promise<Measures | null> {
  const execution = await ask(executor, "measure", [program, ["list", ...references]], call);
  if (execution.kind !== "value" || typeof execution.value !== "object" || execution.value === null)
    return null;
  const [, ...parts] = execution.value;
  const numbers = parts.map((part) => numberOf(part as PythonValue));
  const [cognitive = 0, cyclomatic = 0, volume = 0, effort = 0, distance = 0] = numbers;
  return { cognitive, cyclomatic, volume, effort, distance };
}

/** The program without comments, docstrings and module-level statements; as it was where it cannot be read. */
export async function stripProgram(executor: Executor, program: string, call: Call = {}): Promise<string> {
  const execution = await ask(executor, "strip", [program], call);
  return execution.kind === "value" && typeof execution.value === "string" ? execution.value : program;
}

function ask(
  { sandbox, limits }: Executor,
  name: string,
  values: readonly PythonValue[],
  call: Call,
): Promise<PythonExecution> {
  const query = { call: name, arguments: values.map(literalOf).join(", "), mode: "data" } as const;
  return sandbox.run({ program: source, query, limits }, call);
}

function numberOf(value: PythonValue): number {
  if (typeof value === "number") return value;
  return typeof value === "object" && value?.[0] === "float" ? Number(value[1]) : 0;
}
