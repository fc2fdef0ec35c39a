/**
 * The one table of numeric tolerances. A test takes a row of it by precision and may widen it by a
 * stated factor with a reason; it never writes a tolerance of its own.
 */

/** How two numbers may differ: |actual - expected| <= absolute + relative * |expected|. */
export interface Tolerance {
  readonly relative: number;
  /** The floor, for numbers near zero. */
  readonly absolute: number;
}

export type Precision = "float64" | "float32" | "bfloat16";

export const tolerances: Readonly<Record<Precision, Tolerance>> = {
  float64: { relative: 1e-12, absolute: 1e-12 },
  float32: { relative: 1e-5, absolute: 1e-5 },
  bfloat16: { relative: 2e-2, absolute: 2e-2 },
};

/** A row of the table widened by a factor; the reason is for the reader of the test. */
export function widened(tolerance: Tolerance, factor: number, _reason: string): Tolerance {
  return { relative: tolerance.relative * factor, absolute: tolerance.absolute * factor };
}

/** For numbers that a paper prints with so many decimals. */
export function printedTo(decimals: number): Tolerance {
  return { relative: 0, absolute: 0.5000001 * 10 ** -decimals };
}

export function isWithin(actual: number, expected: number, tolerance: Tolerance): boolean {
  if (Object.is(actual, expected) || actual === expected) return true;
  return Math.abs(actual - expected) <= tolerance.absolute + tolerance.relative * Math.abs(expected);
}
