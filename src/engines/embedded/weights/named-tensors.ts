/**
 * Between a flat buffer and named tensors, given the layout. Rows that pad the vocabulary stay inside: they are cut
 * off on the way out and are zero on the way in.
 */
import type { NamedTensor } from "./safetensors.ts";

/** The part of a layout that matters here. */
export interface TensorPlace {
  readonly name: string;
  readonly shape: readonly number[];
  /** In numbers. */
  readonly offset: number;
  /** In numbers, padding rows left out. */
  readonly length: number;
}

export function tensorsOf(
  flat: Float32Array<ArrayBufferLike>,
  places: readonly TensorPlace[],
  prefix = "",
): NamedTensor[] {
  return places.map(({ name, shape, offset, length }) => ({
    name: `${prefix}${name}`,
    shape: trueShape(shape, length),
    values: new Float32Array(flat.subarray(offset, offset + length)),
  }));
}

/** Copies tensors into a flat buffer. @throws Error where one is missing or has another shape. */
export function fillFlat(
  flat: Float32Array<ArrayBufferLike>,
  places: readonly TensorPlace[],
  tensors: ReadonlyMap<string, NamedTensor>,
  prefix = "",
): void {
  for (const { name, shape, offset, length } of places) {
    const tensor = tensors.get(`${prefix}${name}`);
    if (tensor === undefined) throw new Error(`the tensor ${prefix}${name} is missing`);
    const expected = trueShape(shape, length);
    if (tensor.shape.join() !== expected.join()) {
      throw new Error(
        `the tensor ${prefix}${name} has shape [${tensor.shape.join()}], expected [${expected.join()}]`,
      );
    }
    flat.set(tensor.values, offset);
  }
}

/** Only the first axis can be padded. */
function trueShape(shape: readonly number[], length: number): readonly number[] {
  const [, ...rest] = shape;
  const rowLength = rest.reduce((product, size) => product * size, 1);
  return [length / rowLength, ...rest];
}
