/**
 * The training loop: datums in groups, a loss, an optimizer, a schedule. It knows no method: what a
 * row is worth is in its weights, advantages and constants, and in the loss. Rows of one group stay in
 * one micro-batch, sums run over the whole update, so micro-batching changes nothing.
 */
import { assert, throwIfAborted, type CallOptions, type Random } from "../base/index.ts";
import type {
  BuiltInLoss,
  CustomLoss,
  Datum,
  ForwardBackwardResult,
  Model,
  OptimizerParameters,
} from "../contract/index.ts";
import { addMetrics } from "../losses/index.ts";
import { groupsOf, microBatches, scaleWeights, type Reduction } from "./fit-batches.ts";
import type { Progress } from "./run.ts";
import type { Schedule } from "./schedules.ts";
import { trainError } from "./train-errors.ts";

/** Optimizer settings without the learning rate, which the schedule gives. */
export type OptimizerSettings = OptimizerParameters extends infer One
  ? One extends { readonly learningRate: number }
    ? Omit<One, "learningRate">
    : never
  : never;

/** The size of one update, which a loss needs to be an exact mean over it. */
export interface UpdateShape {
  readonly updateIndex: number;
  readonly updateCount: number;
  /** From 0. */
  readonly epoch: number;
  readonly groupCount: number;
  readonly rowCount: number;
  /** Tokens with a weight other than 0. */
  readonly tokenCount: number;
}

export interface FitUpdate extends UpdateShape {
  readonly learningRate: number;
  /** Summed over the update, as the loss gives it. */
  readonly loss: number;
  /** Before clipping, where the engine tells. */
  readonly gradientNorm: number | null;
  /** Sums over the update. */
  readonly metrics: Readonly<Record<string, number>>;
}

export interface FitOptions {
  /** `policy.model`. */
  readonly model: Model;
  readonly data: readonly Datum[];
  readonly loss: BuiltInLoss | ((update: UpdateShape) => BuiltInLoss | CustomLoss);
  /** What the weights are divided by before they are sent. Default `sum`: nothing. */
  readonly reduction?: Reduction;
  readonly optimizer: OptimizerSettings;
  readonly schedule: Schedule;
  /** Groups are rows of one `groupId`; a row without one is its own group. The last update may be smaller. */
  readonly groupsPerUpdate: number;
  /** Rows that are sent at once; a larger group goes alone. Default: the whole update. */
  readonly microBatchRows?: number;
  /** Default 1. */
  readonly epochs?: number;
  /**
   * Updates between sampling and the start of training on what was sampled. Training is synchronous for
   * now, so only 0 is accepted. Mini-batches of one batch, offline data and replayed rows do not count.
   */
  readonly maximumPolicyLagUpdates?: number;
  /** Groups are shuffled anew in each epoch. */
  readonly random: Random;
  readonly signal: AbortSignal;
  /** The longest that one call on the engine may take; default: the engine's. */
  readonly callTimeoutMs?: number;
  readonly progress?: Progress;
  readonly onUpdate?: (update: FitUpdate) => void;
}

/** The number of updates that `fit` will do. */
export function countUpdates(options: Pick<FitOptions, "data" | "groupsPerUpdate" | "epochs">): number {
  return Math.ceil(groupsOf(options.data).length / options.groupsPerUpdate) * (options.epochs ?? 1);
}

/**
 * Trains a model on rows, and tells what each update did.
 *
 * @throws `loss-not-finite` after the update that went wrong, `no-data`, errors of the engine
 */
export async function fit(options: FitOptions): Promise<readonly FitUpdate[]> {
  const { data, groupsPerUpdate, random, signal } = options;
  assert(
    Number.isInteger(groupsPerUpdate) && groupsPerUpdate > 0,
    `groupsPerUpdate must be a positive integer, got ${groupsPerUpdate}`,
  );
  if ((options.maximumPolicyLagUpdates ?? 0) !== 0) throw lagUnsupported(options.maximumPolicyLagUpdates);
  if (data.length === 0) throw trainError("no-data", "expected rows to train on, got none");
  const groups = groupsOf(data);
  const updateCount = countUpdates(options);
  const updates: FitUpdate[] = [];
  for (let epoch = 0; epoch < (options.epochs ?? 1); epoch++) {
    const shuffled = random.split("epoch", epoch).shuffle(groups);
    for (let start = 0; start < shuffled.length; start += groupsPerUpdate) {
      throwIfAborted(signal, { boundary: "recipe", what: "training" });
      const batch = shuffled.slice(start, start + groupsPerUpdate);
      const update = await updateOnce(
        options,
        batch,
        shapeOf(batch, { updateIndex: updates.length, updateCount, epoch }),
      );
      updates.push(update);
      options.onUpdate?.(update);
      options.progress?.advance();
      checkFinite(update);
    }
  }
  return updates;
}

async function updateOnce(
  options: FitOptions,
  groups: readonly (readonly Datum[])[],
  shape: UpdateShape,
): Promise<FitUpdate> {
  const { model, optimizer, schedule, signal, callTimeoutMs, reduction = "sum" } = options;
  const call: CallOptions = { signal, ...(callTimeoutMs === undefined ? {} : { timeoutMs: callTimeoutMs }) };
  const loss = typeof options.loss === "function" ? options.loss(shape) : options.loss;
  const learningRate = schedule(shape.updateIndex, shape.updateCount);
  const batches = microBatches(
    scaleWeights(groups, reduction, shape),
    options.microBatchRows ?? Number.POSITIVE_INFINITY,
  );
  // All at once: the model runs them in this order, and nothing waits for an answer in between.
  const passes = batches.map((batch) => pass(model, batch, loss, call));
  const step = model.optimStep({ ...optimizer, learningRate }, call);
  const settled = await Promise.allSettled([...passes, step]);
  for (const outcome of settled) if (outcome.status === "rejected") throw outcome.reason;
  const results = await Promise.all(passes);
  const { gradientNorm } = await step;
  return {
    ...shape,
    learningRate,
    loss: results.reduce((sum, result) => sum + result.loss, 0),
    gradientNorm,
    metrics: addMetrics(...results.map((result) => result.metrics)),
  };
}

function pass(
  model: Model,
  batch: readonly Datum[],
  loss: BuiltInLoss | CustomLoss,
  call: CallOptions,
): Promise<ForwardBackwardResult> {
  return "evaluate" in loss
    ? model.forwardBackwardCustom(batch, loss, call)
    : model.forwardBackward(batch, loss, call);
}

function shapeOf(
  groups: readonly (readonly Datum[])[],
  place: Pick<UpdateShape, "updateIndex" | "updateCount" | "epoch">,
): UpdateShape {
  const rows = groups.flat();
  const tokenCount = rows.reduce(
    (sum, row) => sum + row.weights.reduce((count, weight) => count + (weight === 0 ? 0 : 1), 0),
    0,
  );
  return { ...place, groupCount: groups.length, rowCount: rows.length, tokenCount };
}

function lagUnsupported(asked: number | undefined): Error {
  return trainError("policy-lag-unsupported", `expected maximumPolicyLagUpdates 0, got ${asked}`, {
    hint: "training is synchronous: sample, then train on what was sampled; leave the option out",
  });
}

function checkFinite(update: FitUpdate): void {
  const { loss, gradientNorm, updateIndex, learningRate } = update;
  if (Number.isFinite(loss) && (gradientNorm === null || Number.isFinite(gradientNorm))) return;
  throw trainError(
    "loss-not-finite",
    `expected a finite loss and gradient in update ${updateIndex}, got loss ${loss} and gradient norm ${gradientNorm}`,
    {
      hint: "lower the learning rate, clip gradients, or look at the rows of this update",
      facts: { updateIndex, learningRate },
    },
  );
}
