/**
 * One micro-batch bound to its program: tokens written, addresses collected, ready for the forward half and then,
 * with a gradient buffer, the backward half. Knows no loss and plans nothing.
 */
import { assert, present } from "../../../base/index.ts";
import type { Bindings } from "../executor/program-executor.ts";
import type { TrainingProgram } from "../executor/program-library.ts";
import { leafAddresses } from "../weights/weight-store.ts";
import type { GradientBuffer } from "./gradient-buffer.ts";
import type { LossGradients, Pass, PassOutputs } from "./gradient-pass.ts";
import type { MicroBatch } from "./micro-batches.ts";

export interface PreparedRun {
  forward(): Promise<void>;
  /** Copies the outputs of the micro-batch's rows, without padding, to the rows' places. */
  readOutputs(into: PassOutputs): void;
  /** Gradients in the order of the micro-batch's rows. */
  backward(outer: LossGradients): Promise<void>;
}

export async function prepareRun(
  pass: Pass,
  batch: MicroBatch,
  gradients?: GradientBuffer,
): Promise<PreparedRun> {
  const { library, weights } = pass;
  const program = await library.trainingProgram(weights.shape, batch.shape, pass.withEntropies);
  const arena = library.arena(program.compiled.arenaBytes);
  writeTokens(pass, batch, program);
  const bindings = (): Bindings => bind(pass, program, arena, gradients);
  return {
    forward: async () => program.compiled.run(0, bindings()),
    readOutputs: (into) => readOutputs(pass, batch, program, into),
    backward: async (outer) => {
      writeGradients(pass, program, outer);
      await program.compiled.run(1, bindings());
      present(gradients, "a gradient buffer").swap();
    },
  };
}

function bind(
  { library, weights }: Pass,
  program: TrainingProgram,
  arena: number,
  gradients?: GradientBuffer,
): Bindings {
  const own = leafAddresses(weights);
  // Scoring a version has no gradients to bind; the forward half touches none of these addresses.
  const from = gradients?.currentAddresses() ?? own;
  const to = gradients?.nextAddresses() ?? own;
  const { cosine, sine } = library.rotaryAddresses(weights.shape);
  const { bias, tokens, targets, outputs } = program;
  return {
    inputs: [
      ...own,
      ...from,
      cosine,
      sine,
      bias,
      tokens,
      targets,
      ...outputs.map((output) => output.gradients),
    ],
    outputs: [...outputs.map((output) => output.values), ...to],
    arena,
  };
}

function readOutputs(
  { library, rows }: Pass,
  batch: MicroBatch,
  program: TrainingProgram,
  into: PassOutputs,
): void {
  const { rows: rowCount, length } = batch.shape;
  for (const { name, values } of program.outputs) {
    const target = into[name];
    if (target === undefined) continue;
    const all = library.executor.heap.float32(values, rowCount * length);
    for (const [slot, rowIndex] of batch.rowIndices.entries()) {
      const rowLength = present(rows[rowIndex], "a row").tokens.length;
      target[rowIndex] = new Float32Array(all.subarray(slot * length, slot * length + rowLength));
    }
  }
}

function writeGradients({ library }: Pass, program: TrainingProgram, outer: LossGradients): void {
  const { rows, length } = program.batch;
  for (const { name, gradients } of program.outputs) {
    const all = library.executor.heap.float32(gradients, rows * length).fill(0);
    for (const [slot, gradient] of (outer[name] ?? []).entries()) {
      assert(gradient.length <= length, "a loss gradient is longer than its row");
      all.set(gradient, slot * length);
    }
  }
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
