/**
 * Runs rows through the training program: log-probabilities, then the gradient of whatever loss was computed from
 * them. Knows no loss, no optimizer and no queue; the caller holds the executor while it works.
 */
import { assert, present } from "../../../base/index.ts";
import type { ProgramLibrary, TrainingProgram } from "../executor/program-library.ts";
import { leafAddresses, type WeightBlock } from "../weights/weight-store.ts";
import type { GradientBuffer } from "./gradient-buffer.ts";
import { planMicroBatches, type MicroBatch } from "./micro-batches.ts";

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
}

/** Log-probabilities of all targets. @shape per row `[T]` */
export async function computeLogprobs(pass: Pass): Promise<Float32Array[]> {
  const results: Float32Array[] = Array.from({ length: pass.rows.length });
  for (const batch of planBatches(pass)) {
    await pass.breathe();
    const run = await prepare(pass, batch);
    run.forward();
    run.readLogprobs((rowIndex, logprobs) => (results[rowIndex] = logprobs));
  }
  return results;
}

/** d loss / d log-probability for some rows. @shape per row `[T]` */
export type LossGradients = readonly ArrayLike<number>[];

/** How a loss looks at the batch. */
export type LossStage =
  /** Each row alone: asked between the two halves of one pass over each micro-batch. */
  | {
      readonly kind: "row-wise";
      evaluate(rowIndices: readonly number[], logprobs: readonly Float32Array[]): LossGradients;
    }
  /** All rows at once: asked when every log-probability is known. */
  | { readonly kind: "whole"; evaluate(logprobs: readonly Float32Array[]): Promise<LossGradients> };

/** Adds the gradient of a loss to `gradients`: all of it, or nothing when it fails or is cancelled on the way. */
export async function accumulateGradients(
  pass: Pass,
  gradients: GradientBuffer,
  stage: LossStage,
): Promise<Float32Array[]> {
  const before = gradients.snapshot();
  try {
    const logprobs = await (stage.kind === "whole"
      ? accumulateWhole(pass, gradients, stage)
      : accumulateRowWise(pass, gradients, stage));
    await pass.breathe();
    return logprobs;
  } catch (thrown) {
    gradients.restore(before);
    throw thrown;
  }
}

async function accumulateRowWise(
  pass: Pass,
  gradients: GradientBuffer,
  stage: Extract<LossStage, { kind: "row-wise" }>,
): Promise<Float32Array[]> {
  const results: Float32Array[] = Array.from({ length: pass.rows.length });
  for (const batch of planBatches(pass)) {
    await pass.breathe();
    const run = await prepare(pass, batch, gradients);
    run.forward();
    run.readLogprobs((rowIndex, logprobs) => (results[rowIndex] = logprobs));
    run.backward(
      stage.evaluate(
        batch.rowIndices,
        batch.rowIndices.map((rowIndex) => present(results[rowIndex], "a row")),
      ),
    );
  }
  return results;
}

/** With one micro-batch the loss is asked between the halves of one pass; with more the forward half runs again. */
async function accumulateWhole(
  pass: Pass,
  gradients: GradientBuffer,
  stage: Extract<LossStage, { kind: "whole" }>,
): Promise<Float32Array[]> {
  const batches = planBatches(pass);
  const results: Float32Array[] = Array.from({ length: pass.rows.length });
  let last: PreparedRun | undefined;
  for (const batch of batches) {
    await pass.breathe();
    last = await prepare(pass, batch, gradients);
    last.forward();
    last.readLogprobs((rowIndex, logprobs) => (results[rowIndex] = logprobs));
  }
  const outer = await stage.evaluate(results);
  for (const batch of batches) {
    const isStillThere = batches.length === 1;
    const run = isStillThere ? present(last, "the only run") : await prepare(pass, batch, gradients);
    if (!isStillThere) {
      await pass.breathe();
      run.forward();
    }
    run.backward(batch.rowIndices.map((rowIndex) => present(outer[rowIndex], "the loss gradient of a row")));
  }
  return results;
}

function planBatches({ rows, weights }: Pass): MicroBatch[] {
  return planMicroBatches(
    rows.map((row) => row.tokens.length),
    weights.shape.contextLength,
  );
}

interface PreparedRun {
  forward(): void;
  readLogprobs(take: (rowIndex: number, logprobs: Float32Array) => void): void;
  /** Gradients in the order of the micro-batch's rows. */
  backward(outer: LossGradients): void;
}

async function prepare(pass: Pass, batch: MicroBatch, gradients?: GradientBuffer): Promise<PreparedRun> {
  const { library, weights } = pass;
  const program = await library.trainingProgram(weights.shape, batch.shape);
  const { executor } = library;
  const { heap } = executor;
  const { rows: rowCount, length } = batch.shape;
  const count = rowCount * length;
  const rotary = library.rotaryAddresses(weights.shape);
  const arena = library.arena(program.loaded.program.arenaBytes);
  writeTokens(pass, batch, program);
  const bindings = (): { inputs: number[]; outputs: number[]; arena: number } => {
    // Scoring a version has no gradients to bind; phase one touches none of these addresses.
    const from = gradients?.currentAddresses() ?? leafAddresses(weights);
    const to = gradients?.nextAddresses() ?? leafAddresses(weights);
    const { bias, tokens, targets, logprobGradients } = program;
    const inputs = [rotary.cosine, rotary.sine, bias, tokens, targets, logprobGradients];
    return {
      inputs: [...leafAddresses(weights), ...from, ...inputs],
      outputs: [program.logprobs, ...to],
      arena,
    };
  };
  return {
    forward: () => executor.run(program.loaded, 0, bindings()),
    readLogprobs: (take) => {
      const all = heap.float32(program.logprobs, count);
      for (const [slot, rowIndex] of batch.rowIndices.entries()) {
        const rowLength = present(pass.rows[rowIndex], "a row").tokens.length;
        take(rowIndex, new Float32Array(all.subarray(slot * length, slot * length + rowLength)));
      }
    },
    backward: (outer) => {
      const all = heap.float32(program.logprobGradients, count).fill(0);
      for (const [slot, gradient] of outer.entries()) {
        assert(gradient.length <= length, "a loss gradient is longer than its row");
        all.set(gradient, slot * length);
      }
      executor.run(program.loaded, 1, bindings());
      present(gradients, "a gradient buffer").swap();
    },
  };
}

/** Padding is token 0 predicting token 0 with loss gradient 0: it touches no other row and adds exact zeros. */
function writeTokens(pass: Pass, batch: MicroBatch, program: TrainingProgram): void {
  const { heap } = pass.library.executor;
  const { rows: rowCount, length } = batch.shape;
  const tokens = heap.int32(program.tokens, rowCount * length).fill(0);
  const targets = heap.int32(program.targets, rowCount * length).fill(0);
  for (const [slot, rowIndex] of batch.rowIndices.entries()) {
    const row = present(pass.rows[rowIndex], "a row");
    tokens.set(row.tokens, slot * length);
    targets.set(row.targets, slot * length);
  }
}
