/**
 * Held-out accuracy of a version in the list world, by task type and by how many statements a program has: of the most likely
 * answer, and of answers at temperature 1. Answers are judged by real Python, as in training.
 */
import { mapBounded, type Random } from "spar/base";
import { tokens, type PolicyVersion } from "spar/contract";
import type { Run, Step } from "spar/train";
import { judgeAnswer, type Executor } from "./judge.ts";
import { heldOutPrograms } from "./list-world.ts";
import { inductionTaskOf, randomDigits, tripletOf } from "./list-programs.ts";
import { meanOf } from "./mean.ts";
import type { AbsoluteZeroOptions } from "./options.ts";
import type { SolvingTask } from "./episodes.ts";
import { taskTypes, type TaskType } from "./tasks.ts";
import type { World } from "./world.ts";
import { heldOutRandom } from "./worlds.ts";

export type Accuracy = { readonly greedy: number; readonly sampled: number };

/** `deduction/2` is the accuracy on programs of two statements, `deduction` the mean over their lengths. */
export type Figures = { readonly [name: string]: Accuracy };

interface HeldOutTask extends SolvingTask {
  readonly name: string;
}

export interface Evaluating {
  readonly run: Run<AbsoluteZeroOptions>;
  readonly world: World;
  readonly executor: Executor;
}

/** Nothing in the world of Python at large: benchmarks measure that. */
export async function evaluate(
  { run, world, executor }: Evaluating,
  {
    name,
    version,
    step,
    index,
  }: {
    readonly name: string;
    readonly version: PolicyVersion;
    readonly step: Step;
    readonly index: number;
  },
): Promise<Figures> {
  const { options } = run;
  if (options.world !== "lists") return {};
  const tasks = heldOutTasks(options, heldOutRandom(run.random));
  const progress = step.progress({ what: "evaluating", total: tasks.length, unit: "held-out tasks" });
  const accuracies = await mapBounded(tasks, options.concurrency, async (task, at) => {
    const answers = await answersOf({ run, world }, version, { task, at, signal: step.signal });
    const scores = await Promise.all(answers.map((answer) => judged(executor, options, task, answer)));
    progress.advance();
    const [greedy = 0, ...sampled] = scores;
    return { greedy, sampled: meanOf(sampled) };
  }).finally(() => progress.end());
  const figures = figuresOf(tasks, accuracies);
  for (const type of options.taskTypes) {
    const { greedy, sampled } = figures[type] ?? { greedy: 0, sampled: 0 };
    step.metric(`${name}/${type}-greedy/accuracy`, index, greedy);
    step.metric(`${name}/${type}-sampled/accuracy`, index, sampled);
  }
  return figures;
}

/** The same for every version of a run, and for its controls. */
export function heldOutTasks(
  {
    taskTypes: types,
    evaluation,
    inputCount,
  }: Pick<AbsoluteZeroOptions, "taskTypes" | "evaluation" | "inputCount">,
  random: Random,
): HeldOutTask[] {
  return [...heldOutPrograms(random)].flatMap(([depth, programs]) =>
    taskTypes.flatMap((type) => {
      if (!types.includes(type)) return [];
      return Array.from({ length: evaluation.tasksPerDepth }, (_value, index) => {
        const draws = random.split("inputs", type, depth, index);
        const text = programs[index % programs.length] ?? "";
        return { name: `${type}/${depth}`, type, task: taskOf(type, text, inputCount, draws) };
      });
    }),
  );
}

function taskOf(type: TaskType, text: string, inputCount: number, random: Random): SolvingTask["task"] {
  if (type !== "induction") return tripletOf(text, randomDigits(random));
  const inputs = new Set<string>();
  while (inputs.size < inputCount) inputs.add(randomDigits(random));
  return inductionTaskOf(text, [...inputs]);
}

/** The most likely answer, then those at temperature 1. */
async function answersOf(
  { run, world }: Pick<Evaluating, "run" | "world">,
  version: PolicyVersion,
  { task, at, signal }: { readonly task: HeldOutTask; readonly at: number; readonly signal: AbortSignal },
): Promise<string[]> {
  const { engine, options, random } = run;
  const { renderer } = world;
  const { tokenIds } = renderer.render([...world.solverPrompt(task.type, task.task)]);
  const sample = async (temperature: number, count: number): Promise<string[]> => {
    const { sequences } = await engine.sample(
      version,
      {
        prompt: [tokens(tokenIds)],
        count,
        parameters: {
          maxTokens: options.maxReplyTokens,
          temperature,
          seed: random.split("evaluation", at).seed(),
          stopTokenIds: renderer.stopTokenIds,
        },
      },
      { signal },
    );
    return sequences.map((sequence) => renderer.decode(sequence.tokenIds));
  };
  const [greedy, sampled] = await Promise.all([sample(0, 1), sample(1, options.evaluation.samples)]);
  return [...greedy, ...sampled].map((reply) => world.parseAnswer(task.type, reply).text ?? "");
}

async function judged(
  executor: Executor,
  { inductionScore }: Pick<AbsoluteZeroOptions, "inductionScore">,
  { type, task }: HeldOutTask,
  answer: string,
): Promise<number> {
  const { verdict } = await judgeAnswer(
    executor,
    { type, task, inductionScore },
    answer === "" ? null : answer,
  );
  return verdict.kind === "pass" ? 1 : 0;
}

function figuresOf(tasks: readonly HeldOutTask[], accuracies: readonly Accuracy[]): Figures {
  const figures: Record<string, Accuracy> = {};
  const byName = Map.groupBy(tasks.keys(), (index) => tasks[index]?.name ?? "");
  for (const [name, places] of byName)
    figures[name] = meanAccuracy(places.flatMap((place) => accuracies[place] ?? []));
  for (const type of taskTypes) {
    const ofType = Object.entries(figures).filter(([name]) => name.startsWith(`${type}/`));
    if (ofType.length > 0) figures[type] = meanAccuracy(ofType.map(([, accuracy]) => accuracy));
  }
  return figures;
}

function meanAccuracy(accuracies: readonly Accuracy[]): Accuracy {
  return {
    greedy: meanOf(accuracies.map(({ greedy }) => greedy)),
    sampled: meanOf(accuracies.map(({ sampled }) => sampled)),
  };
}
