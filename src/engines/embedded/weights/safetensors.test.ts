import { expect, test } from "vitest";
import { decodeSafetensors, encodeSafetensors } from "./safetensors.ts";

const tensors = [
  { name: "b", shape: [2, 3], values: Float32Array.from([1, -2, 3.5, NaN, Infinity, -0]) },
  { name: "a", shape: [1], values: Float32Array.of(7) },
];

test("what was written is read back bit for bit", () => {
  const read = decodeSafetensors(encodeSafetensors(tensors, { format: "pt" }));
  expect([...read.values()]).toEqual(tensors);
});

test("the header is aligned and states type, shape and place", () => {
  const file = encodeSafetensors(tensors);
  const length = Number(new DataView(file.buffer).getBigUint64(0, true));
  expect(length % 8).toBe(0);
  const header = JSON.parse(new TextDecoder().decode(file.subarray(8, 8 + length)));
  expect(header["a"]).toEqual({ dtype: "F32", shape: [1], data_offsets: [24, 28] });
});

test.each([
  ["shorter than a header", (file: Uint8Array) => file.subarray(0, 5)],
  ["header is cut", (file: Uint8Array) => file.subarray(0, 20)],
  ["are cut", (file: Uint8Array) => file.subarray(0, file.length - 4)],
])("a damaged file is refused: it is %s", (complaint, damage) => {
  expect(() => decodeSafetensors(damage(encodeSafetensors(tensors)))).toThrow(complaint);
});
