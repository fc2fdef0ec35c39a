/**
 * The constant tables that positions need: rotary angles, causal masks and linear biases. Plain numbers, computed
 * once per model shape in double precision and rounded.
 */
import type { ModelShape } from "./layout.ts";

/** Large enough that its exponential is exactly zero, small enough to stay finite when added to. */
export const masked = -1e30;
const rotaryBase = 10_000;

export interface RotaryTables {
  /** @shape `[length, 2, d/2]` */
  readonly cosine: Float32Array;
  /** Negative in the first half: the partner of component i < d/2 is subtracted. */
  readonly sine: Float32Array;
}

export function rotaryTables(shape: ModelShape, length: number): RotaryTables {
  const half = shape.width / shape.headCount / 2;
  const cosine = new Float32Array(length * 2 * half);
  const sine = new Float32Array(length * 2 * half);
  for (let position = 0; position < length; position += 1) {
    for (let index = 0; index < half; index += 1) {
      const angle = position * rotaryBase ** (-index / half);
      const first = position * 2 * half + index;
      cosine[first] = cosine[first + half] = Math.cos(angle);
      sine[first] = -Math.sin(angle);
      sine[first + half] = Math.sin(angle);
    }
  }
  return { cosine, sine };
}

/** What is added to the score of a query for a key that many positions back; negative distances are the future. */
export function scoreBias(shape: ModelShape, head: number, distance: number): number {
  if (distance < 0) return masked;
  if (shape.positions !== "linear-bias") return 0;
  // The slopes of arXiv:2108.12409v2 for a power of two heads, used for every count.
  return -distance * 2 ** ((-8 * (head + 1)) / shape.headCount);
}

/** @shape `[H, length, length]`, query before key */
export function trainingBias(shape: ModelShape, length: number): Float32Array {
  const bias = new Float32Array(shape.headCount * length * length);
  let index = 0;
  for (let head = 0; head < shape.headCount; head += 1) {
    for (let query = 0; query < length; query += 1) {
      for (let key = 0; key < length; key += 1) bias[index++] = scoreBias(shape, head, query - key);
    }
  }
  return bias;
}

export interface DecodingBias {
  readonly slots: number;
  readonly queryCount: number;
  readonly firstPosition: number;
  /** Slots from here on are masked. Default: none. */
  readonly filled?: number;
}

/** Between the positions of one step of sampling. @shape `[queries, queries, 1, H]`, key before query */
export function freshBias(shape: ModelShape, queryCount: number): Float32Array {
  const bias = new Float32Array(queryCount * queryCount * shape.headCount);
  fillDecodingBias(shape, bias, { slots: queryCount, queryCount, firstPosition: 0 });
  return bias;
}

/** Fills `[slots, queries, 1, H]` for queries at `firstPosition` and after. */
export function fillDecodingBias(
  shape: ModelShape,
  target: Float32Array<ArrayBufferLike>,
  { slots, queryCount, firstPosition, filled = slots }: DecodingBias,
): void {
  let index = 0;
  for (let slot = 0; slot < slots; slot += 1) {
    for (let query = 0; query < queryCount; query += 1) {
      for (let head = 0; head < shape.headCount; head += 1) {
        target[index++] = slot < filled ? scoreBias(shape, head, firstPosition + query - slot) : masked;
      }
    }
  }
}
