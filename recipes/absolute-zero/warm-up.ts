/**
 * What a model from scratch is taught before it teaches itself: how proposals look, and the answers to the shortest programs.
 * No held-out program occurs.
 */
import type { Random } from "spar/base";
import type { Datum } from "spar/contract";
import type { Segment } from "spar/games";
import { datumFromSegments } from "spar/text";
import { fit, linearSchedule, type FitUpdate, type Policy, type Step } from "spar/train";
import {
  deepest,
  digitsOfInput,
  digitsOfValue,
  inductionTaskOf,
  lettersOf,
  randomDigits,
  randomLetters,
  tripletOf,
} from "./list-programs.ts";
import type { AbsoluteZeroOptions } from "./options.ts";
import { taskTypes, type Task, type TaskType } from "./tasks.ts";
import type { Inspiration, World } from "./world.ts";

interface Example {
  readonly prompt: readonly Segment[];
  readonly reply: string;
}

type Context = Pick<AbsoluteZeroOptions, "warmUp" | "inputCount" | "referenceCount">;

/** @shape one row per draw: a third of them proposals, the others answers, all types alike */
export function warmUpRows(
  world: World,
  options: Context,
  { count, random }: { readonly count: number; readonly random: Random },
): Datum[] {
  return Array.from({ length: count }, (_value, index) => {
    const draws = random.split(index);
    const type = taskTypes[index % taskTypes.length] ?? "deduction";
    const isProposal = Math.floor(index / taskTypes.length) % 3 === 0;
    return rowOf(
      isProposal ? proposal(world, options, type, draws) : answer(world, options, type, draws),
      world,
    );
  });
}

function rowOf({ prompt, reply }: Example, { renderer }: World): Datum {
  const { tokenIds } = renderer.render(prompt);
  const replyIds = [...renderer.tokenizer.encode(reply), ...renderer.stopTokenIds.slice(0, 1)];
  return datumFromSegments(
    [
      { tokenIds, train: false },
      { tokenIds: replyIds, train: true },
    ],
    // Every reply weighs the same: inputs for induction are long, and nothing can be learned of their digits.
    { tokenizer: renderer.tokenizer, weight: 1 / replyIds.length },
  );
}

/** Every depth alike. */
function proposal(world: World, options: Context, type: TaskType, random: Random): Example {
  const text = (): string => freeLetters(world, random, deepest);
  const inspiration: Inspiration =
    type === "induction"
      ? { type, program: tripletOf(text(), "0000").program }
      : {
          type,
          references: Array.from({ length: options.referenceCount }, () =>
            tripletOf(text(), randomDigits(random)),
          ),
        };
  return { prompt: world.proposerPrompt(inspiration), reply: world.randomProposal(inspiration, random) };
}

function answer(world: World, options: Context, type: TaskType, random: Random): Example {
  const text = freeLetters(world, random, options.warmUp.deepestSolved);
  if (type === "induction") {
    const task = inductionTaskOf(
      text,
      Array.from({ length: options.inputCount }, () => randomDigits(random)),
    );
    return { prompt: world.solverPrompt(type, task), reply: lettersOf(task.program) };
  }
  const task = tripletOf(text, randomDigits(random));
  const reply = type === "deduction" ? digitsOfValue(task.output) : digitsOfInput(task.input);
  return { prompt: world.solverPrompt(type, task), reply };
}

/** Letters of a program that is not held out, up to a depth. */
function freeLetters(world: World, random: Random, most: number): string {
  for (;;) {
    const text = randomLetters(random, 1 + random.integer(most));
    const task: Task = tripletOf(text, "0000");
    if (!world.isHeldOut(task)) return text;
  }
}

export async function warmUp(
  policy: Policy,
  world: World,
  { options, step }: { readonly options: AbsoluteZeroOptions; readonly step: Step },
): Promise<readonly FitUpdate[]> {
  const { updates, rowsPerUpdate, learningRate } = options.warmUp;
  const progress = step.progress({ what: "warming up", total: updates, unit: "updates" });
  return fit({
    model: policy.model,
    data: warmUpRows(world, options, {
      count: updates * rowsPerUpdate,
      random: step.random.split("rows"),
    }),
    loss: { kind: "crossEntropy" },
    reduction: "mean-per-group",
    optimizer: { kind: "adamw", beta1: 0.9, beta2: options.beta2, clipGradientNorm: 1, weightDecay: 0 },
    schedule: linearSchedule({ learningRate, finalShare: 0.05 }),
    groupsPerUpdate: rowsPerUpdate,
    microBatchRows: options.maxRowsPerCall,
    random: step.random.split("batches"),
    signal: step.signal,
    progress,
  }).finally(() => progress.end());
}
