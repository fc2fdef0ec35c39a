/**
 * Whether an answer is right, by execution. A verdict is a pass, a fail with its reason, or an error, which is the
 * sandbox's fault and counts nowhere. Nothing that a model wrote is evaluated in this process.
 */
import type { CallOptions } from "spar/base";
import type { Verdict } from "spar/records";
import { judgeValue, type PythonLimits, type PythonSandbox, type PythonValue } from "spar/verifiers/python";
import { entryName, splitCases, type Task, type TaskType } from "./tasks.ts";

export interface Executor {
  readonly sandbox: Pick<PythonSandbox, "run">;
  readonly limits: PythonLimits;
}

type Call = Pick<CallOptions, "signal">;

/** A verdict, and how much of the answer was right: 0 or 1, or the share of hidden cases. */
export type Judgement = { readonly verdict: Verdict; readonly score: number };

/** `all`: every hidden case has to pass; `share`: the score is the share of those that do. */
export type InductionScore = "all" | "share";

export interface Question {
  readonly type: TaskType;
  readonly task: Task;
  readonly inductionScore: InductionScore;
}

/** @shape answer: null where there was none */
export async function judgeAnswer(
  executor: Executor,
  { type, task, inductionScore }: Question,
  answer: string | null,
  call: Call = {},
): Promise<Judgement> {
  if (answer === null) return { verdict: { kind: "fail", reason: "there is no answer" }, score: 0 };
  if (task.kind === "induction") return judgeInduction(executor, task.cases, inductionScore, answer, call);
  const verdict =
    type === "abduction"
      ? await judgeInput(executor, task, answer, call)
      : await judgeOutput(executor, task.output, answer, call);
  return { verdict, score: verdict.kind === "pass" ? 1 : 0 };
}

/** Evaluates data to a value: one argument is itself, several are a tuple, none is no answer. */
const evaluation = `def answer(*values):
    if not values:
        raise ValueError("there is no answer")
    return values[0] if len(values) == 1 else values
`;

/** What literals of values may call besides builtins. */
const makers: readonly (readonly [name: string, module: string])[] = [
  ["Counter", "collections"],
  ["OrderedDict", "collections"],
  ["defaultdict", "collections"],
  ["deque", "collections"],
  ["Fraction", "fractions"],
  ["Decimal", "decimal"],
];

/** Right where it is a value equal to the output. */
async function judgeOutput(
  { sandbox, limits }: Executor,
  output: PythonValue,
  answer: string,
  call: Call,
): Promise<Verdict> {
  const imports = makers
    .filter(([name]) => answer.includes(name))
    .map(([name, module]) => `from ${module} import ${name}\n`);
  const execution = await sandbox.run(
    {
      program: `${imports.join("")}${evaluation}`,
      query: { call: "answer", arguments: answer, mode: "data" },
      limits,
    },
    call,
  );
  return judgeValue(execution, output);
}

/** Right where the program returns the output for it, whatever input was proposed. */
async function judgeInput(
  { sandbox, limits }: Executor,
  { program, output }: { readonly program: string; readonly output: PythonValue },
  answer: string,
  call: Call,
): Promise<Verdict> {
  const query = { call: entryName, arguments: answer, mode: "data" } as const;
  return judgeValue(await sandbox.run({ program, query, limits }, call), output);
}

/** Every hidden case is executed on its own, so that one that fails hides no other. */
async function judgeInduction(
  executor: Executor,
  cases: Parameters<typeof splitCases>[0],
  inductionScore: InductionScore,
  program: string,
  call: Call,
): Promise<Judgement> {
  const { hidden } = splitCases(cases);
  const verdicts = await Promise.all(
    hidden.map(async ({ input, output }) => judgeInput(executor, { program, output }, input, call)),
  );
  const failed = verdicts.find(({ kind }) => kind === "fail");
  const broken = verdicts.find(({ kind }) => kind === "error");
  const passed = verdicts.filter(({ kind }) => kind === "pass").length;
  if (inductionScore === "share") {
    if (broken !== undefined) return { verdict: broken, score: 0 };
    return { verdict: failed ?? { kind: "pass" }, score: passed / hidden.length };
  }
  const verdict = failed ?? broken ?? ({ kind: "pass" } satisfies Verdict);
  return { verdict, score: verdict.kind === "pass" ? 1 : 0 };
}
