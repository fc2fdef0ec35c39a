/** What the games call: validation, judging and measuring, in the sandbox. */
import { present, type JsonValue } from "spar/base";
import type { Service } from "spar/rollouts";
import { nativeBackend, openPythonSandbox, pyodideBackend, type PythonSandbox } from "spar/verifiers/python";
import { bannedModules } from "./banned-modules.ts";
import { judgeAnswer, type Executor } from "./judge.ts";
import { measureProgram } from "./measures.ts";
import type { AbsoluteZeroOptions } from "./options.ts";
import type { ParsedProposal } from "./parsed.ts";
import type { Task, TaskType } from "./tasks.ts";
import { validate, type ValidationRules } from "./validate.ts";
import type { Inspiration, World } from "./world.ts";

/** @throws `backend-unavailable`, `proof-failed` */
export async function openSandbox({ sandbox }: AbsoluteZeroOptions): Promise<PythonSandbox> {
  const { backend, workers } = sandbox;
  return openPythonSandbox({
    // Python is looked up where systems keep it; nothing of this process is handed on.
    backend: backend === "pyodide" ? pyodideBackend() : nativeBackend({ environment: { PATH: systemPath } }),
    workerCount: workers,
  });
}

const systemPath = "/usr/local/bin:/usr/bin:/bin";

export function executorOf({ sandbox: limits }: AbsoluteZeroOptions, sandbox: PythonSandbox): Executor {
  return { sandbox, limits: { timeMs: limits.timeMs, memoryBytes: limits.memoryBytes } };
}

export type Services = Readonly<Record<"validate" | "judge" | "measure", Service>>;

export function servicesOf(
  options: Pick<AbsoluteZeroOptions, "acceptsNone" | "inductionScore" | "sandbox">,
  executor: Executor,
  { isHeldOut }: Pick<World, "isHeldOut">,
): Services {
  const rules: ValidationRules = {
    bannedModules,
    acceptsNone: options.acceptsNone,
    maxOutputCharacters: options.sandbox.maxOutputCharacters,
  };
  return {
    validate: async (input, call) => {
      const { inspiration, proposal } = input as { inspiration: Inspiration; proposal: ParsedProposal };
      const program = inspiration.type === "induction" ? { program: inspiration.program } : {};
      const validation = await validate(executor, rules, proposal, { ...program, ...signalOf(call) });
      const isKept = validation.kind === "valid" && isHeldOut(validation.task);
      return isKept ? { kind: "held-out" } : validation;
    },
    judge: async (input, call) => {
      const { type, task, answers } = input as {
        type: TaskType;
        task: Task;
        answers: readonly (string | null)[];
      };
      const question = { type, task, inductionScore: options.inductionScore };
      // Equal answers are executed once.
      const byAnswer = new Map(
        [...new Set(answers)].map((answer) => [
          answer,
          judgeAnswer(executor, question, answer, signalOf(call)),
        ]),
      );
      return (await Promise.all(
        answers.map(async (answer) => present(byAnswer.get(answer), "a judgement")),
      )) as readonly JsonValue[];
    },
    measure: async (input, call) => {
      const { inspiration, task } = input as { inspiration: Inspiration; task: Task };
      const references =
        inspiration.type === "induction" ? [] : inspiration.references.map(({ program }) => program);
      return measureProgram(executor, task.program, references, signalOf(call));
    },
  };
}

function signalOf({ signal }: { readonly signal?: AbortSignal }): { readonly signal?: AbortSignal } {
  return signal === undefined ? {} : { signal };
}
