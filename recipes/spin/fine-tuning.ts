/**
 * Plain supervised fine-tuning on the references: the warm-up that makes the first iterate, and the
 * control that SPIN is compared with.
 */
import type { Random } from "spar/base";
import type { Datum } from "spar/contract";
import { datumFromSegments } from "spar/text";
import {
  constantSchedule,
  fit,
  linearSchedule,
  type FitUpdate,
  type OptimizerSettings,
  type Policy,
  type Schedule,
  type Step,
} from "spar/train";
import type { EncodedExample, SpinTask } from "./examples.ts";
import { atIteration, type SpinOptions } from "./options.ts";

/** One row per example: the prompt is context, the answer is trained. */
export function referenceRows(examples: readonly EncodedExample[], task: SpinTask): Datum[] {
  return examples.map(({ promptIds, answerIds }) =>
    datumFromSegments(
      [
        { tokenIds: promptIds, train: false },
        { tokenIds: answerIds, train: true },
      ],
      { tokenizer: task.tokenizer },
    ),
  );
}

/** The optimizer of an iteration, as every phase uses it. */
export function optimizerOf(
  options: SpinOptions,
  weightDecay: number = options.weightDecay,
): OptimizerSettings {
  const common = { clipGradientNorm: options.clipGradientNorm, weightDecay };
  return options.optimizer === "adamw"
    ? { kind: "adamw", beta1: 0.9, beta2: options.beta2, ...common }
    : { kind: "rmsprop", ...common };
}

/**
 * The learning rate over the updates of one iteration of self-play, and of a control in the same
 * place: `updateCount` is what is done there, the schedule may be made for more.
 */
export function scheduleOf(options: SpinOptions, iteration: number, updateCount: number): Schedule {
  const learningRate = atIteration(options.learningRates, iteration);
  const epochs = options.scheduleEpochs === 0 ? options.epochsPerIteration : options.scheduleEpochs;
  const common = { learningRate, warmupShare: options.warmUpShare };
  if (options.schedule === "constant") return constantSchedule(common);
  return linearSchedule({ ...common, lengthUpdates: (updateCount * epochs) / options.epochsPerIteration });
}

/** Makes the first iterate: passes over all references at the warm-up's own rate. */
export async function warmUp(
  policy: Policy,
  task: SpinTask,
  { options, step }: PhaseContext,
): Promise<readonly FitUpdate[]> {
  const { epochs, rowsPerUpdate, learningRate, finalLearningRateShare, weightDecay } = options.warmUp;
  const updateCount = epochs * Math.ceil(task.training.length / rowsPerUpdate);
  const progress = step.progress({
    what: "warming up",
    total: updateCount,
    unit: "updates",
  });
  return fit({
    model: policy.model,
    data: referenceRows(task.training, task),
    loss: { kind: "crossEntropy" },
    reduction: "mean-per-token",
    optimizer: {
      kind: "adamw",
      beta1: 0.9,
      beta2: options.beta2,
      clipGradientNorm: options.clipGradientNorm,
      weightDecay,
    },
    schedule: linearSchedule({ learningRate, finalShare: finalLearningRateShare }),
    groupsPerUpdate: rowsPerUpdate,
    microBatchRows: options.maxRowsPerCall,
    epochs,
    random: step.random.split("batches"),
    signal: step.signal,
    progress,
  }).finally(() => progress.end());
}

export interface PhaseContext {
  readonly options: SpinOptions;
  readonly step: Step;
}

/**
 * A given number of updates on references drawn in shuffled passes, with an iteration's optimizer and
 * rate. As in training by epochs, the last update of each `rowsPerEpoch` rows may be smaller.
 */
export async function fineTune(
  policy: Policy,
  task: SpinTask,
  phase: PhaseContext & {
    readonly iteration: number;
    readonly updateCount: number;
    readonly rowsPerUpdate: number;
    readonly rowsPerEpoch: number;
    readonly what: string;
  },
): Promise<void> {
  const { options, step, iteration, updateCount, rowsPerUpdate, rowsPerEpoch } = phase;
  const progress = step.progress({ what: phase.what, total: updateCount, unit: "updates" });
  const rows = shuffledPasses(referenceRows(task.training, task), step.random.split("passes"));
  const schedule = scheduleOf(options, iteration, updateCount);
  const updatesPerEpoch = Math.ceil(rowsPerEpoch / rowsPerUpdate);
  try {
    for (let done = 0; done < updateCount; done += updatesPerEpoch) {
      const rowCount = Math.min(rowsPerEpoch, (updateCount - done) * rowsPerUpdate);
      await fit({
        model: policy.model,
        data: Array.from({ length: rowCount }, () => rows.next().value),
        loss: { kind: "crossEntropy" },
        reduction: "mean-per-token",
        optimizer: optimizerOf(options),
        schedule: (update) => schedule(done + update, updateCount),
        groupsPerUpdate: rowsPerUpdate,
        microBatchRows: options.maxRowsPerCall,
        random: step.random.split("batches", done),
        signal: step.signal,
        progress,
      });
    }
  } finally {
    progress.end();
  }
}

/** All items in a shuffled order, then all in another, for ever. */
function* shuffledPasses<Item>(items: readonly Item[], random: Random): Generator<Item, never> {
  for (let pass = 0; ; pass++) yield* random.split(pass).shuffle(items);
}
