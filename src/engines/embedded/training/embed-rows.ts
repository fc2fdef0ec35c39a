/** The mean of the last hidden layer over the positions of each row, after the final norm. Trains nothing. */
import { present } from "../../../base/index.ts";
import { leafAddresses } from "../weights/weight-store.ts";
import type { Pass } from "./gradient-pass.ts";
import { planMicroBatches, type MicroBatch } from "./micro-batches.ts";

/** @shape per row `[D]` */
export async function embedRows(pass: Pass): Promise<Float32Array[]> {
  const results: Float32Array[] = Array.from({ length: pass.rows.length });
  const lengths = pass.rows.map((row) => row.tokens.length);
  for (const batch of planMicroBatches(
    lengths,
    pass.weights.shape,
    pass.library.executor.positionsPerBatch,
  )) {
    await pass.breathe();
    const hidden = await runHidden(pass, batch);
    const { width } = pass.weights.shape;
    for (const [slot, rowIndex] of batch.rowIndices.entries()) {
      const first = slot * batch.shape.length * width;
      results[rowIndex] = meanOfRows(hidden.subarray(first), {
        count: present(lengths[rowIndex], "a length"),
        width,
      });
    }
  }
  return results;
}

async function runHidden(pass: Pass, batch: MicroBatch): Promise<Float32Array<ArrayBufferLike>> {
  const { library, weights } = pass;
  const { executor } = library;
  const program = await library.hiddenProgram(weights.shape, batch.shape);
  const { rows: rowCount, length } = batch.shape;
  const tokens = executor.heap.int32(program.tokens, rowCount * length).fill(0);
  for (const [slot, rowIndex] of batch.rowIndices.entries()) {
    tokens.set(present(pass.rows[rowIndex], "a row").tokens, slot * length);
  }
  const { cosine, sine } = library.rotaryAddresses(weights.shape);
  const inputs = [...leafAddresses(weights), cosine, sine, program.bias, program.tokens];
  const arena = library.arena(program.compiled.arenaBytes);
  await program.compiled.run(0, { inputs, outputs: [program.hidden], arena });
  return executor.heap.float32(program.hidden, rowCount * length * weights.shape.width);
}

function meanOfRows(
  rows: Float32Array<ArrayBufferLike>,
  { count, width }: { count: number; width: number },
): Float32Array {
  const sums = new Float64Array(width);
  for (let row = 0; row < count; row += 1) {
    for (let index = 0; index < width; index += 1) sums[index]! += rows[row * width + index]!;
  }
  return Float32Array.from(sums, (sum) => sum / count);
}
