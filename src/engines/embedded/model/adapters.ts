/**
 * Low-rank adapters as a reparametrisation of the projections: effective = base + (alpha / rank) A B.
 *
 * Training always runs on effective weights and gives the gradient of those; the chain rule to A and B is linear in
 * it and is applied once per step. So the training program, the sampler and every version are the same
 * with and without adapters, and a published version equals what the trainer computes with, bit for bit.
 */
import { createRandom } from "../../../base/index.ts";
import type { Leaf } from "./layout.ts";

export interface AdapterSettings {
  readonly rank: number;
  readonly alpha: number;
}

export interface Adapter {
  /** The projection it is put on. @shape `[inputs, outputs]` */
  readonly target: Leaf;
  readonly inputs: number;
  readonly outputs: number;
  /** A `[inputs, rank]`, then B `[rank, outputs]`, in the flat array of adapters. */
  readonly offsetA: number;
  readonly offsetB: number;
}

type Numbers = Float32Array<ArrayBufferLike>;

export function listAdapters(leaves: readonly Leaf[], rank: number): Adapter[] {
  let offset = 0;
  return leaves
    .filter((leaf) => leaf.isProjection)
    .map((target) => {
      const [inputs = 0, outputs = 0] = target.shape;
      const adapter = { target, inputs, outputs, offsetA: offset, offsetB: offset + inputs * rank };
      offset += (inputs + outputs) * rank;
      return adapter;
    });
}

export function adapterLength(adapters: readonly Adapter[], rank: number): number {
  return adapters.reduce((sum, { inputs, outputs }) => sum + (inputs + outputs) * rank, 0);
}

/** Names and places of the adapters, for files. */
export function adapterPlaces(
  adapters: readonly Adapter[],
  rank: number,
): { name: string; shape: number[]; offset: number; length: number }[] {
  return adapters.flatMap(({ target, inputs, outputs, offsetA, offsetB }) => [
    { name: `${target.name}.loraA`, shape: [inputs, rank], offset: offsetA, length: inputs * rank },
    { name: `${target.name}.loraB`, shape: [rank, outputs], offset: offsetB, length: outputs * rank },
  ]);
}

/** A uniform in +-1/sqrt(inputs), B zero: the first effective weights are the base, exactly. */
export function initialiseAdapters(adapters: readonly Adapter[], rank: number, seed: number): Float32Array {
  const trained = new Float32Array(adapterLength(adapters, rank));
  const random = createRandom(seed);
  for (const { target, inputs, offsetA } of adapters) {
    const stream = random.split("lora", target.name);
    const limit = 1 / Math.sqrt(inputs);
    for (let index = 0; index < inputs * rank; index += 1)
      trained[offsetA + index] = (2 * stream.uniform() - 1) * limit;
  }
  return trained;
}

/** Writes base + scale A B into `effective`; what is no projection keeps its values there. */
export function mergeAdapters(
  adapters: readonly Adapter[],
  settings: AdapterSettings,
  arrays: { readonly base: Numbers; readonly trained: Numbers; readonly effective: Numbers },
): void {
  const { rank, alpha } = settings;
  const { base, trained, effective } = arrays;
  const scale = alpha / rank;
  for (const { target, inputs, outputs, offsetA, offsetB } of adapters) {
    const row = new Float64Array(outputs);
    for (let input = 0; input < inputs; input += 1) {
      row.fill(0);
      for (let index = 0; index < rank; index += 1) {
        const a = trained[offsetA + input * rank + index]!;
        const start = offsetB + index * outputs;
        for (let output = 0; output < outputs; output += 1) row[output]! += a * trained[start + output]!;
      }
      const start = target.offset + input * outputs;
      for (let output = 0; output < outputs; output += 1)
        effective[start + output] = base[start + output]! + scale * row[output]!;
    }
  }
}

/** The gradient of A and B from that of the effective weights: dA = scale dW B', dB = scale A' dW. */
export function adapterGradients(
  adapters: readonly Adapter[],
  settings: AdapterSettings,
  arrays: { readonly effectiveGradient: Numbers; readonly trained: Numbers },
): Float32Array {
  const { rank, alpha } = settings;
  const { effectiveGradient, trained } = arrays;
  const scale = alpha / rank;
  const gradients = new Float32Array(adapterLength(adapters, rank));
  for (const { target, inputs, outputs, offsetA, offsetB } of adapters) {
    for (let index = 0; index < rank; index += 1) {
      const rowB = offsetB + index * outputs;
      const sumB = new Float64Array(outputs);
      for (let input = 0; input < inputs; input += 1) {
        const start = target.offset + input * outputs;
        const a = trained[offsetA + input * rank + index]!;
        let sumA = 0;
        for (let output = 0; output < outputs; output += 1) {
          const gradient = effectiveGradient[start + output]!;
          sumA += gradient * trained[rowB + output]!;
          sumB[output]! += gradient * a;
        }
        gradients[offsetA + input * rank + index] = scale * sumA;
      }
      for (let output = 0; output < outputs; output += 1) gradients[rowB + output] = scale * sumB[output]!;
    }
  }
  return gradients;
}
