/**
 * Runs rows through the training program: per-token outputs, then the gradient of whatever loss was computed from
 * them. Knows no loss, no optimizer and no queue; the caller holds the executor while it works.
 */
import { present } from "../../../base/index.ts";
import type { ProgramLibrary } from "../executor/program-library.ts";
import type { PassOutput } from "../model/training-program.ts";
import type { WeightBlock } from "../weights/weight-store.ts";
import type { GradientBuffer } from "./gradient-buffer.ts";
import { planMicroBatches, type MicroBatch } from "./micro-batches.ts";
import { prepareRun, type PreparedRun } from "./prepared-run.ts";

/** Token ids of one row and the ids that follow them. */
export interface TokenRow {
  readonly tokens: Int32Array;
  readonly targets: Int32Array;
}

/** Called between micro-batches, so that a cancelled call stops and the thread hears its messages. */
export type Breathe = () => Promise<void>;

export interface Pass {
  readonly library: ProgramLibrary;
  readonly weights: WeightBlock;
  readonly rows: readonly TokenRow[];
  readonly breathe: Breathe;
  /** Default false: entropies cost a second sum over the vocabulary. */
  readonly withEntropies?: boolean;
}

/** Per-token outputs of all rows; those that were not computed are missing. @shape per row `[T]` */
export type PassOutputs = { readonly logprobs: Float32Array[] } & {
  readonly [Name in PassOutput]?: Float32Array[];
};

/** d loss / d output for some rows; what is missing is zero. @shape per row `[T]` */
export type LossGradients = { readonly [Name in PassOutput]?: readonly ArrayLike<number>[] };

/** How a loss looks at the batch. */
export type LossStage =
  /** Each row alone: asked between the two halves of one pass over each micro-batch. */
  | {
      readonly kind: "row-wise";
      evaluate(rowIndices: readonly number[], logprobs: readonly Float32Array[]): LossGradients;
    }
  /** All rows at once: asked when every output is known. */
  | { readonly kind: "whole"; evaluate(outputs: PassOutputs): Promise<LossGradients> };

/** The forward half alone. */
export async function computeOutputs(pass: Pass): Promise<PassOutputs> {
  const outputs = emptyOutputs(pass);
  for (const batch of planBatches(pass)) {
    await pass.breathe();
    const run = await prepareRun(pass, batch);
    await run.forward();
    run.readOutputs(outputs);
  }
  return outputs;
}

/** Adds the gradient of a loss to `gradients`: all of it, or nothing when it fails or is cancelled on the way. */
export async function accumulateGradients(
  pass: Pass,
  gradients: GradientBuffer,
  stage: LossStage,
): Promise<PassOutputs> {
  const before = gradients.snapshot();
  try {
    const outputs = await (stage.kind === "whole"
      ? accumulateWhole(pass, gradients, stage)
      : accumulateRowWise(pass, gradients, stage));
    await pass.breathe();
    return outputs;
  } catch (thrown) {
    gradients.restore(before);
    throw thrown;
  }
}

async function accumulateRowWise(
  pass: Pass,
  gradients: GradientBuffer,
  stage: Extract<LossStage, { kind: "row-wise" }>,
): Promise<PassOutputs> {
  const outputs = emptyOutputs(pass);
  for (const batch of planBatches(pass)) {
    await pass.breathe();
    const run = await prepareRun(pass, batch, gradients);
    await run.forward();
    run.readOutputs(outputs);
    await run.backward(stage.evaluate(batch.rowIndices, pick(outputs.logprobs, batch.rowIndices)));
  }
  return outputs;
}

/** With one micro-batch the loss is asked between the halves of one pass; with more the forward half runs again. */
async function accumulateWhole(
  pass: Pass,
  gradients: GradientBuffer,
  stage: Extract<LossStage, { kind: "whole" }>,
): Promise<PassOutputs> {
  const batches = planBatches(pass);
  const outputs = emptyOutputs(pass);
  let last: PreparedRun | undefined;
  for (const batch of batches) {
    await pass.breathe();
    last = await prepareRun(pass, batch, gradients);
    await last.forward();
    last.readOutputs(outputs);
  }
  const outer = await stage.evaluate(outputs);
  for (const batch of batches) {
    const isStillThere = batches.length === 1;
    const run = isStillThere ? present(last, "the only run") : await prepareRun(pass, batch, gradients);
    if (!isStillThere) {
      await pass.breathe();
      await run.forward();
    }
    await run.backward(pickGradients(outer, batch.rowIndices));
  }
  return outputs;
}

function planBatches({ library, rows, weights }: Pass): MicroBatch[] {
  return planMicroBatches(
    rows.map((row) => row.tokens.length),
    weights.shape,
    library.executor.positionsPerBatch,
  );
}

function emptyOutputs({ rows, weights, withEntropies }: Pass): PassOutputs {
  const list = (): Float32Array[] => Array.from({ length: rows.length });
  return {
    logprobs: list(),
    ...(withEntropies === true ? { entropies: list() } : {}),
    ...(weights.shape.hasValueHead ? { values: list() } : {}),
  };
}

function pick<T>(list: readonly T[], indices: readonly number[]): T[] {
  return indices.map((index) => present(list[index], "a row"));
}

function pickGradients(
  { logprobs, entropies, values }: LossGradients,
  indices: readonly number[],
): LossGradients {
  return {
    ...(logprobs === undefined ? {} : { logprobs: pick(logprobs, indices) }),
    ...(entropies === undefined ? {} : { entropies: pick(entropies, indices) }),
    ...(values === undefined ? {} : { values: pick(values, indices) }),
  };
}
