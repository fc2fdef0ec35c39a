import { describe, expect, test } from "vitest";
import { expectClose, expectGolden, finiteDifference, firstDifference } from "./expect-golden.ts";
import { isWithin, printedTo, tolerances, widened } from "./tolerances.ts";

const { float64 } = tolerances;

describe("tolerances", () => {
  test("are relative with an absolute floor", () => {
    const tolerance = { relative: 0.01, absolute: 0.1 };
    expect([isWithin(101.1, 100, tolerance), isWithin(101.2, 100, tolerance)]).toEqual([true, false]);
    expect([isWithin(0.1, 0, tolerance), isWithin(0.11, 0, tolerance)]).toEqual([true, false]);
  });

  test("hold for equal infinities and never for NaN against a number", () => {
    expect(isWithin(Number.POSITIVE_INFINITY, Number.POSITIVE_INFINITY, float64)).toBe(true);
    expect(isWithin(Number.NaN, 1, float64)).toBe(false);
    expect(isWithin(1, Number.NaN, float64)).toBe(false);
    expect(isWithin(Number.POSITIVE_INFINITY, 1, float64)).toBe(false);
  });

  test("of printed numbers are half a unit of the last digit", () => {
    expect([
      isWithin(0.1234564, 0.123456, printedTo(6)),
      isWithin(0.1234571, 0.123456, printedTo(6)),
    ]).toEqual([true, false]);
    expect(widened(float64, 10, "a test").relative).toBe(1e-11);
  });
});

describe("firstDifference", () => {
  test("finds numbers, lengths and names that differ, by path", () => {
    expect(firstDifference({ a: [1, 2] }, { a: [1, 2] }, float64)).toBeNull();
    expect(firstDifference({ a: [1, 3] }, { a: [1, 2] }, float64)).toContain("value.a.1: expected 2, got 3");
    expect(firstDifference([1], [1, 2], float64)).toContain("expected 2 entries, got 1");
    expect(firstDifference({ b: 1 }, { a: 1 }, float64)).toContain("value.a: expected a value, got none");
    expect(firstDifference([1], 1, float64)).toContain("expected number");
    expect(firstDifference(Float64Array.of(1), [1], float64)).toBeNull();
  });
});

describe("expectGolden", () => {
  const square = {
    input: 3,
    perturbed: 3.1,
    expected: 9,
    tolerance: float64,
    compute: (input: number) => input * input,
  };

  test("passes where the numbers are right and a perturbed input is told apart", () => {
    expectGolden(square);
  });

  test("fails for a wrong number", () => {
    expect(() => expectGolden({ ...square, expected: 9.1 })).toThrow(/expected 9.1, got 9/);
  });

  test("fails where the perturbed input passes as well", () => {
    expect(() => expectGolden({ ...square, tolerance: { relative: 1e6, absolute: 1e6 } })).toThrow(
      /should differ/,
    );
    expect(() => expectGolden({ ...square, compute: () => 9 })).toThrow(/should differ/);
  });
});

test("finiteDifference is the gradient of a smooth function", () => {
  const gradient = finiteDifference(
    (point) => (point[0] ?? 0) ** 3 + 2 * (point[1] ?? 0),
    Float64Array.of(2, 5),
  );
  expectClose(gradient, [12, 2], widened(float64, 1e3, "central differences"), "gradient");
});
