/** Numbers as little-endian bytes and back, whatever the alignment. Knows no message. */
import { assert } from "../../../base/index.ts";
import { unexpectedAnswer } from "../errors.ts";

assert(new Uint8Array(Uint16Array.of(1).buffer)[0] === 1, "the wire is little-endian, this machine is not");

export function int32Bytes(values: ArrayLike<number>): Uint8Array {
  return new Uint8Array(Int32Array.from(values).buffer);
}

export function int64Bytes(values: ArrayLike<number>): Uint8Array {
  return new Uint8Array(BigInt64Array.from(Array.from(values, BigInt)).buffer);
}

export function float32Bytes(values: Float32Array): Uint8Array {
  return new Uint8Array(values.slice().buffer);
}

export function readInt32(bytes: Uint8Array, what: string): Int32Array {
  return new Int32Array(aligned(bytes, 4, what));
}

export function readFloat32(bytes: Uint8Array, what: string): Float32Array {
  return new Float32Array(aligned(bytes, 4, what));
}

/** Integers beyond 2 ** 53 are no offsets or ids of anything. */
export function readInt64(bytes: Uint8Array, what: string): number[] {
  return Array.from(new BigInt64Array(aligned(bytes, 8, what)), (value) => {
    const number = Number(value);
    if (Number.isSafeInteger(number)) return number;
    throw unexpectedAnswer(what, "integers below 2 ** 53", String(value));
  });
}

/** The upper half of each float32. */
export function readBfloat16(bytes: Uint8Array, what: string): Float32Array {
  const halves = new Uint16Array(aligned(bytes, 2, what));
  return new Float32Array(Uint32Array.from(halves, (half) => half << 16).buffer);
}

function aligned(bytes: Uint8Array, size: number, what: string): ArrayBuffer {
  if (bytes.byteLength % size !== 0)
    throw unexpectedAnswer(what, `a multiple of ${size} bytes`, `${bytes.byteLength}`);
  return Uint8Array.from(bytes).buffer;
}
