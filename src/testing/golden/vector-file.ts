/** The shape of a file of golden vectors, so that every language reads all of them alike. */
import type { JsonObject, JsonValue } from "../../base/index.ts";
import type { Precision } from "../tolerances.ts";

export interface GoldenVector {
  readonly name: string;
  readonly inputs: JsonObject;
  readonly outputs: JsonObject;
}

export interface GoldenFile {
  /** What is computed, by which formula, and what the arrays mean. */
  readonly description: string;
  /** The row of the tolerance table for an implementation in float64. */
  readonly tolerance: Precision;
  readonly cases: readonly GoldenVector[];
}

/** Typed arrays as plain lists. */
export function plain(values: ArrayLike<number>): readonly number[] {
  return Array.from(values);
}

/** Rows of typed arrays as lists of lists. */
export function plainRows(rows: readonly ArrayLike<number>[] = []): JsonValue {
  return rows.map(plain);
}
