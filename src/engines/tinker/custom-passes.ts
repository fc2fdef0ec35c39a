/**
 * Custom losses: the server computes outputs, the loss here says its gradient by them, the server carries it on. On
 * servers of ours that is one pass, whose graph waits meanwhile; elsewhere, and where a graph cannot wait, it is two.
 * Everything belongs to one turn of the model, so its weights do not change in between.
 */
import { isSparError } from "../../base/index.ts";
import {
  countPositions,
  engineError,
  type CustomLoss,
  type Datum,
  type ForwardBackwardResult,
  type LossOutputs,
} from "../../contract/index.ts";
import { outputOf, type GradientPasses } from "./gradient-passes.ts";
import { checkGradients, type CheckedGradients } from "./losses/check-gradients.ts";
import { encodeForward } from "./losses/encode-loss.ts";
import { encodeGradients, encodeOutputs, type OtherOutput } from "./losses/encode-outputs.ts";
import type { PassOutput } from "./wire/data.ts";

/** Outputs, and the number of the pass whose graph waits; null where none does. */
interface Computed {
  readonly output: PassOutput;
  readonly heldNumber: number | null;
}

export class CustomPasses {
  readonly #passes: GradientPasses;
  /** Whether the server can hold a graph. */
  readonly #holds: boolean;
  /** The smallest batch that was too large to wait. @unit positions */
  #tooLarge: number = Number.POSITIVE_INFINITY;

  constructor(passes: GradientPasses, holds: boolean) {
    this.#passes = passes;
    this.#holds = holds;
  }

  async submit(data: readonly Datum[], loss: CustomLoss): Promise<() => Promise<ForwardBackwardResult>> {
    const reads = loss.reads ?? [];
    const { output, heldNumber } = await this.#compute(data, reads);
    const logprobs = outputOf("logprobs", output, data);
    const evaluation = loss.evaluate(lossOutputs(output, logprobs, { data, reads }), data);
    const gradients = checkGradients(loss, evaluation, data);
    const added = await this.#add(data, { reads, gradients, heldNumber });
    return async () => {
      await added();
      return { logprobs, loss: evaluation.value, metrics: evaluation.metrics };
    };
  }

  async #compute(data: readonly Datum[], reads: readonly OtherOutput[]): Promise<Computed> {
    const held = this.#holds ? await this.#hold(data, reads) : null;
    if (held !== null) return held;
    const pass = this.#holds ? encodeOutputs(data, reads, false) : encodeForward(data);
    return { output: await (await this.#passes.server.submitPass(pass))(), heldNumber: null };
  }

  /** Null where the batch is too large to wait as a whole. */
  async #hold(data: readonly Datum[], reads: readonly OtherOutput[]): Promise<Computed | null> {
    const size = data.reduce((sum, { input }) => sum + countPositions(input), 0);
    if (size >= this.#tooLarge) return null;
    const sent = await this.#passes.server.submitSingle(encodeOutputs(data, reads, true));
    if (sent === null) return null;
    try {
      return { output: await sent.wait(), heldNumber: sent.number };
    } catch (thrown) {
      if (!isSparError(thrown) || thrown.code !== "memory-exhausted") throw thrown;
      this.#tooLarge = size;
      return null;
    }
  }

  async #add(
    data: readonly Datum[],
    given: {
      readonly reads: readonly OtherOutput[];
      readonly gradients: CheckedGradients;
      readonly heldNumber: number | null;
    },
  ): Promise<() => Promise<unknown>> {
    const { reads, gradients, heldNumber } = given;
    if (heldNumber !== null && (await this.#addHeld(data.length, gradients, heldNumber)))
      return async () => undefined;
    if (gradients.entropies === undefined && gradients.values === undefined)
      return this.#passes.addLogprobGradients(data, gradients.logprobs);
    await this.#addInParts(data, reads, gradients);
    return async () => undefined;
  }

  /** False where the graph did not wait long enough: nothing was added then. */
  async #addHeld(rowCount: number, gradients: CheckedGradients, number: number): Promise<boolean> {
    try {
      await (
        await this.#passes.add(rowCount, encodeGradients(gradients, number))
      )();
      return true;
    } catch (thrown) {
      if (isSparError(thrown) && thrown.code === "graph-expired") return false;
      throw thrown;
    }
  }

  /**
   * Computes the outputs again, so many rows at a time as can wait, and adds the gradient of each part. The longest
   * rows come first: where they fit, as many others do, so that what is too large is known before anything was added.
   *
   * @throws `memory-exhausted` where a single row is too large
   */
  async #addInParts(
    data: readonly Datum[],
    reads: readonly OtherOutput[],
    gradients: CheckedGradients,
  ): Promise<void> {
    const length = (row: number): number => data[row]?.targets.length ?? 0;
    const order = Array.from(data.keys()).toSorted((one, other) => length(other) - length(one));
    let partSize = order.length;
    for (let start = 0; start < order.length;) {
      const rows = order.slice(start, start + partSize);
      try {
        await this.#addPart(partOf(data, rows), reads, gradientsOf(gradients, rows));
        start += rows.length;
      } catch (thrown) {
        const isTooLarge = isSparError(thrown) && thrown.code === "memory-exhausted";
        if (isTooLarge && start === 0 && rows.length > 1) {
          partSize = Math.ceil(rows.length / 2);
          continue;
        }
        // The parts before it were added: the sum is no longer the one that was asked for.
        if (start > 0) this.#passes.server.calls.putInDoubt(thrown);
        throw thrown;
      }
    }
  }

  /** @throws `memory-exhausted` where the rows are too large to wait; nothing was added then */
  async #addPart(
    data: readonly Datum[],
    reads: readonly OtherOutput[],
    gradients: CheckedGradients,
  ): Promise<void> {
    const sent = await this.#passes.server.submitSingle(encodeOutputs(data, reads, true));
    if (sent === null)
      throw engineError("memory-exhausted", `expected rows that fit into one request, got ${data.length}`);
    await sent.wait();
    await (
      await this.#passes.add(data.length, encodeGradients(gradients, sent.number))
    )();
  }
}

function lossOutputs(
  output: PassOutput,
  logprobs: readonly Float32Array[],
  { data, reads }: { readonly data: readonly Datum[]; readonly reads: readonly OtherOutput[] },
): LossOutputs {
  const widen = (rows: readonly Float32Array[]): Float64Array[] => rows.map((row) => Float64Array.from(row));
  return {
    logprobs: widen(logprobs),
    ...Object.fromEntries(reads.map((name) => [name, widen(outputOf(name, output, data))])),
  };
}

function partOf<T>(all: readonly T[], indices: readonly number[]): T[] {
  return indices.flatMap((index) => all.slice(index, index + 1));
}

function gradientsOf(
  { logprobs, entropies, values }: CheckedGradients,
  rows: readonly number[],
): CheckedGradients {
  return {
    logprobs: partOf(logprobs, rows),
    ...(entropies === undefined ? {} : { entropies: partOf(entropies, rows) }),
    ...(values === undefined ? {} : { values: partOf(values, rows) }),
  };
}
