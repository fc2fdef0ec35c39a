/**
 * Comparison of numbers, nested arrays and records of numbers within a tolerance, and the proof that
 * a comparison can fail: `expectGolden` computes again from a perturbed input and requires that the
 * result is then refused.
 */
import { expect } from "vitest";
import { isWithin, type Tolerance } from "./tolerances.ts";

/** Numbers in any nesting. */
export type Numbers = number | ArrayLike<number> | readonly Numbers[] | { readonly [name: string]: Numbers };

/** The first place where two structures differ by more than the tolerance, in words; null for none. */
export function firstDifference(
  actual: Numbers,
  expected: Numbers,
  tolerance: Tolerance,
  path = "value",
): string | null {
  if (typeof expected === "number" && typeof actual === "number") {
    return isWithin(actual, expected, tolerance) ? null : `${path}: expected ${expected}, got ${actual}`;
  }
  if (typeof expected === "number" || typeof actual === "number") {
    return `${path}: expected ${typeof expected}, got ${typeof actual}`;
  }
  const actualEntries = entriesOf(actual);
  const expectedEntries = entriesOf(expected);
  if (actualEntries.size !== expectedEntries.size) {
    return `${path}: expected ${expectedEntries.size} entries, got ${actualEntries.size}`;
  }
  for (const [name, value] of expectedEntries) {
    const other = actualEntries.get(name);
    if (other === undefined) return `${path}.${name}: expected a value, got none`;
    const difference = firstDifference(other, value, tolerance, `${path}.${name}`);
    if (difference !== null) return difference;
  }
  return null;
}

/** Requires that all numbers agree within the tolerance. */
export function expectClose(actual: Numbers, expected: Numbers, tolerance: Tolerance, what = "value"): void {
  expect(firstDifference(actual, expected, tolerance, what)).toBeNull();
}

/** Requires that some number differs by more than the tolerance. */
export function expectDifferent(
  actual: Numbers,
  expected: Numbers,
  tolerance: Tolerance,
  what = "value",
): void {
  expect(firstDifference(actual, expected, tolerance), `${what} should differ`).not.toBeNull();
}

export interface GoldenCase<Input> {
  readonly input: Input;
  /** An input that differs in something that the numbers must depend on. */
  readonly perturbed: Input;
  readonly expected: Numbers;
  readonly tolerance: Tolerance;
  readonly compute: (input: Input) => Numbers;
}

/** Requires the expected numbers from the input, and other numbers from the perturbed input. */
export function expectGolden<Input>(golden: GoldenCase<Input>): void {
  expectClose(golden.compute(golden.input), golden.expected, golden.tolerance);
  expectDifferent(
    golden.compute(golden.perturbed),
    golden.expected,
    golden.tolerance,
    "the result of the perturbed input",
  );
}

/**
 * The gradient of a scalar function by central differences.
 *
 * @remarks with steps of 1e-5 and float64 it is right to about 1e-9 for well-scaled functions
 */
export function finiteDifference(
  evaluate: (point: Float64Array) => number,
  point: Float64Array,
  step = 1e-5,
): Float64Array {
  return point.map((_value, index) => {
    const shifted = (distance: number): number =>
      evaluate(point.map((value, other) => (other === index ? value + distance : value)));
    return (shifted(step) - shifted(-step)) / (2 * step);
  });
}

function entriesOf(value: Exclude<Numbers, number>): Map<string, Numbers> {
  if (isArrayLike(value)) return new Map(Array.from(value, (item, index) => [String(index), item]));
  return new Map(Object.entries(value));
}

function isArrayLike(value: object): value is ArrayLike<Numbers> {
  return "length" in value && typeof value.length === "number";
}
