/**
 * The safetensors format for float32 tensors: eight bytes of header length, a JSON header, then the numbers.
 * Knows no model; reading checks everything that it relies on, since a file can be cut or foreign.
 */
import { assert } from "../../../base/index.ts";

export interface NamedTensor {
  readonly name: string;
  readonly shape: readonly number[];
  readonly values: Float32Array;
}

/** One file as bytes, tensors in the given order. */
export function encodeSafetensors(
  tensors: readonly NamedTensor[],
  metadata: Readonly<Record<string, string>> = {},
): Uint8Array {
  const header: Record<string, unknown> = { __metadata__: metadata };
  let offset = 0;
  for (const { name, shape, values } of tensors) {
    header[name] = { dtype: "F32", shape, data_offsets: [offset, offset + values.byteLength] };
    offset += values.byteLength;
  }
  // Spaces bring the numbers to a multiple of eight bytes, as the format asks.
  const text = JSON.stringify(header);
  const headerBytes = new TextEncoder().encode(
    text.padEnd(Math.ceil(new TextEncoder().encode(text).length / 8) * 8),
  );
  const file = new Uint8Array(8 + headerBytes.length + offset);
  new DataView(file.buffer).setBigUint64(0, BigInt(headerBytes.length), true);
  file.set(headerBytes, 8);
  let position = 8 + headerBytes.length;
  for (const { values } of tensors) {
    file.set(new Uint8Array(values.buffer, values.byteOffset, values.byteLength), position);
    position += values.byteLength;
  }
  return file;
}

/** @throws Error that says what is wrong with the bytes; the caller names the file. */
export function decodeSafetensors(file: Uint8Array): Map<string, NamedTensor> {
  check(file.byteLength >= 8, "it is shorter than a header");
  const view = new DataView(file.buffer, file.byteOffset, file.byteLength);
  const headerLength = Number(view.getBigUint64(0, true));
  check(8 + headerLength <= file.byteLength, "its header is cut");
  const header: unknown = JSON.parse(new TextDecoder().decode(file.subarray(8, 8 + headerLength)));
  check(typeof header === "object" && header !== null, "its header is no object");
  const tensors = new Map<string, NamedTensor>();
  const data = file.subarray(8 + headerLength);
  for (const [name, entry] of Object.entries(header ?? {})) {
    if (name !== "__metadata__") tensors.set(name, readTensor(name, entry, data));
  }
  return tensors;
}

function readTensor(name: string, entry: unknown, data: Uint8Array): NamedTensor {
  check(isEntry(entry), `the entry of ${name} is malformed`);
  assert(isEntry(entry), "checked above");
  const [begin, end] = entry.data_offsets;
  check(entry.dtype === "F32", `${name} is ${entry.dtype}, only F32 is read`);
  const length = entry.shape.reduce((product, size) => product * size, 1);
  check(end - begin === length * 4 && begin >= 0 && end <= data.byteLength, `the numbers of ${name} are cut`);
  const values = new Float32Array(length);
  new Uint8Array(values.buffer).set(data.subarray(begin, end));
  return { name, shape: entry.shape, values };
}

interface Entry {
  readonly dtype: string;
  readonly shape: readonly number[];
  readonly data_offsets: readonly [number, number];
}

function isEntry(entry: unknown): entry is Entry {
  if (typeof entry !== "object" || entry === null) return false;
  if (!("dtype" in entry && "shape" in entry && "data_offsets" in entry)) return false;
  const { shape, data_offsets: offsets } = entry;
  const areNumbers = (list: unknown): boolean =>
    Array.isArray(list) && list.every((item) => Number.isSafeInteger(item));
  return areNumbers(shape) && areNumbers(offsets) && Array.isArray(offsets) && offsets.length === 2;
}

function check(condition: boolean, complaint: string): void {
  if (!condition) throw new Error(`the file is no readable safetensors: ${complaint}`);
}
