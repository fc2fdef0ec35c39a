import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { compareValues } from "./equality.ts";
import type { PythonValue } from "./python-value.ts";

const float = (text: string): PythonValue => ["float", text];

describe("equality of Python", () => {
  const equal: [string, PythonValue, PythonValue][] = [
    ["5 == 5.0", 5, float("5.0")],
    ["1 == True", 1, true],
    ["0.0 == -0.0", float("0.0"), float("-0.0")],
    ["0.5 == Fraction(1, 2)", float("0.5"), ["Fraction", "1/2"]],
    ["Decimal('0.50') == 0.5", ["Decimal", "0.50"], float("0.5")],
    ["Decimal('1E+2') == 100", ["Decimal", "1E+2"], 100],
    ["complex(2, 0) == 2", ["complex", "2.0", "0.0"], 2],
    ["2**64 == 2.0**64", ["int", "0x10000000000000000"], float("1.8446744073709552e+19")],
    ["{1, 2} == frozenset({2, True})", ["set", 1, 2], ["frozenset", 2, true]],
    ["dicts in another order", ["dict", ["a", 1], ["b", 2]], ["dict", ["b", 2], ["a", float("1.0")]]],
    ["b'a' == bytearray(b'a')", ["bytes", "61"], ["bytearray", "61"]],
    ["a named tuple is a tuple", ["namedtuple", "P", ["tuple", 1, 2]], ["tuple", 1, 2]],
    ["Counter(a=1, b=0) == Counter(a=1)", ["Counter", ["a", 1], ["b", 0]], ["Counter", ["a", 1]]],
    ["range(0, 5, 2) == range(0, 6, 2)", ["range", 0, 5, 2], ["range", 0, 6, 2]],
    ["range(3, 3) == range(9, 1)", ["range", 3, 3, 1], ["range", 9, 1, 1]],
    ["[math.nan] == [math.nan], one object", ["list", float("math.nan")], ["list", float("math.nan")]],
    ["lone surrogates", "\ud800", "\ud800"],
    ["Decimal('1E+20000') == Decimal('10E+19999')", ["Decimal", "1E+20000"], ["Decimal", "1.0E+20000"]],
    ["Decimal('0E-7') == 0", ["Decimal", "0E-7"], 0],
    ["255 == Fraction(255, 1)", 255, ["Fraction", "255/1"]],
  ];
  test.each(equal)("%s", (_what, left, right) => {
    expect(compareValues(left, right)).toBe("equal");
    expect(compareValues(right, left)).toBe("equal");
  });

  const different: [string, PythonValue, PythonValue][] = [
    ["a list is no tuple", ["list", 1, 2], ["tuple", 1, 2]],
    ["0.1 + 0.2 != 0.3", float("0.30000000000000004"), float("0.3")],
    ["0.1 != Fraction(1, 10)", float("0.1"), ["Fraction", "1/10"]],
    ["'1' != 1", "1", 1],
    ["'1' != '1.0'", "1", "1.0"],
    ["'1' != b'1'", "1", ["bytes", "31"]],
    ["None != False", null, false],
    ["nan != nan", float("nan"), float("nan")],
    ["math.nan != math.nan", float("math.nan"), float("math.nan")],
    ["[nan] != [nan], two objects", ["list", float("nan")], ["list", float("nan")]],
    ["Decimal('NaN') != itself", ["Decimal", "NaN"], ["Decimal", "NaN"]],
    ["2**53 + 1 != 2.0**53", ["int", "0x20000000000001"], float("9007199254740992.0")],
    ["inf != -inf", float("inf"), float("-inf")],
    ["a deque is no list", ["deque", 1], ["list", 1]],
    ["dict(a=0) != dict()", ["dict", ["a", 0]], ["dict"]],
    ["Decimal('1E+20000') != Decimal('-1E+20000')", ["Decimal", "1E+20000"], ["Decimal", "-1E+20000"]],
    ["16 != 10", 16, 10],
    ["members that look like two", ["list", "1,2"], ["list", "1", "2"]],
  ];
  test.each(different)("%s", (_what, left, right) => {
    expect(compareValues(left, right)).toBe("different");
    expect(compareValues(right, left)).toBe("different");
  });

  test("what has no equality of its own says why, however deep it lies", () => {
    const instance: PythonValue = ["list", ["dict", ["a", ["opaque", "Point"]]]];
    expect(compareValues(instance, instance)).toEqual({ incomparable: "Point is not plain data" });
    const cycle: PythonValue = ["list", ["cycle", 1]];
    expect(compareValues(1, cycle)).toEqual({ incomparable: "a value that holds itself has no end" });
  });

  test("every float equals itself and the fraction that it is", () => {
    const finite = fc.double({ noNaN: true, noDefaultInfinity: true });
    fc.assert(
      fc.property(finite, finite, (one, other) => {
        const written = (value: number): PythonValue => float(String(value));
        expect(compareValues(written(one), written(one))).toBe("equal");
        expect(compareValues(written(one), written(other))).toBe(one === other ? "equal" : "different");
      }),
    );
  });
});
