import { describe, expect, test } from "vitest";
import { explainExecution, type PythonExecution } from "./execution.ts";
import { compareValues } from "./equality.ts";
import { isPythonValue, type PythonValue } from "./python-value.ts";
import { explainVerdict, judgeCompletion, judgeDeterminism, judgeValue } from "./verdict.ts";

const returned = (value: PythonValue): PythonExecution => ({ kind: "value", value, output: "" });
const raised: PythonExecution = {
  kind: "exception",
  name: "ValueError",
  message: "no\nsuch thing",
  where: "program",
  line: 3,
  output: "",
};
const looped: PythonExecution = { kind: "limit", limit: "time", isConfirmed: true };
const broken: PythonExecution = { kind: "error", error: "lost", message: "the worker ended" };

describe("verdicts", () => {
  test("an equal value passes, another fails with both", () => {
    expect(judgeValue(returned(["list", 1, 2]), ["list", 1, true])).toEqual({
      kind: "fail",
      reason: "returned [1, 2], expected [1, True]",
    });
    expect(judgeValue(returned(["list", 1, 2]), ["list", true, ["float", "2.0"]])).toEqual({ kind: "pass" });
  });

  test("exceptions and limits are the answer's fault, errors the sandbox's", () => {
    expect(judgeValue(raised, 1).kind).toBe("fail");
    expect(judgeValue(looped, 1).kind).toBe("fail");
    expect(judgeValue(broken, 1).kind).toBe("error");
    expect([raised, looped, broken, returned(null)].map((one) => judgeCompletion(one).kind)).toEqual([
      "fail",
      "fail",
      "error",
      "pass",
    ]);
  });

  test("a value that cannot be compared fails against everything", () => {
    const opaque: PythonValue = ["opaque", "Equal"];
    expect(judgeValue(returned(opaque), opaque)).toEqual({
      kind: "fail",
      reason: "cannot be compared: Equal is not plain data",
    });
  });

  test("determinism asks for values that can be compared and are equal", () => {
    expect(judgeDeterminism([returned(1), returned(1)])).toEqual({ kind: "pass" });
    expect(judgeDeterminism([returned(1), returned(2)]).kind).toBe("fail");
    expect(judgeDeterminism([returned(1), raised]).kind).toBe("fail");
    expect(judgeDeterminism([raised, raised]).kind).toBe("fail");
    expect(judgeDeterminism([returned(["float", "nan"]), returned(["float", "nan"])]).kind).toBe("fail");
    expect(judgeDeterminism([returned(["opaque", "generator"]), returned(1)]).kind).toBe("fail");
    expect(judgeDeterminism([returned(1), broken]).kind).toBe("error");
    expect(judgeDeterminism([]).kind).toBe("error");
  });

  test("everything explains itself in one line", () => {
    expect(explainExecution(raised)).toBe("raised ValueError in line 3 of the program: no such thing");
    expect(explainExecution(looped)).toBe("used up its time, twice");
    expect(explainExecution(broken)).toBe("was not executed (lost): the worker ended");
    const shown: [PythonValue, string][] = [
      [["tuple", 1], "(1,)"],
      ["it's\n\ud800", "'it\\'s\\n\\ud800'"],
      [["dict", ["a", ["set"]]], "{'a': set()}"],
      [["Counter", ["a", 2]], "Counter({'a': 2})"],
      [["list", ["cycle", 1]], "[<itself>]"],
    ];
    for (const [value, text] of shown) expect(explainExecution(returned(value))).toBe(`returned ${text}`);
    expect(explainExecution(returned("x".repeat(1000)))).toContain("(1002 characters)");
    expect(explainVerdict(judgeValue(returned(1), 2))).toBe("failed: returned 1, expected 2");
    expect(explainVerdict({ kind: "pass" })).toBe("passed");
  });

  test("what is no value is told from what is", () => {
    const values = [
      null,
      true,
      5,
      "a",
      ["list"],
      ["dict", [1, 2]],
      ["float", "0.1"],
      ["Ellipsis"],
      ["cycle", 1],
    ];
    expect(values.every((value) => isPythonValue(value))).toBe(true);
    const others = [
      1.5,
      {},
      [],
      ["lists", 1],
      ["dict", 1],
      ["dict", [1]],
      ["float", 1],
      ["list", {}],
      2 ** 60,
    ];
    expect(others.some((value) => isPythonValue(value))).toBe(false);
  });

  test("what a changed interpreter says is no value where a part of it is none", () => {
    const nested = (depth: number): PythonValue => (depth === 0 ? 1 : ["list", nested(depth - 1)]);
    const honest: PythonValue[] = [
      ["int", "-0x20000000000000"],
      ...["1e+16", "-1.5e-07", "5e-324", "inf", "nan", "math.nan", "-0.0"].map(
        (text) => ["float", text] as const,
      ),
      ["complex", "0.0", "-inf"],
      ["bytes", ""],
      ["bytes", "00ff"],
      ...["-0", "1E+3", "0.10", "1.5E-12", "Infinity", "sNaN12"].map((text) => ["Decimal", text] as const),
      ["Fraction", "-1/3"],
      ["range", 0, ["int", "0x20000000000000"], true],
      ["namedtuple", "P", ["tuple", 1]],
      nested(100),
    ];
    for (const value of honest) {
      expect([value, isPythonValue(value)]).toEqual([value, true]);
      expect(["equal", "different"]).toContain(compareValues(value, value));
    }
    const forged: unknown[] = [
      ["float", "abc"],
      ["float", ""],
      ["float"],
      ["float", "1.0", "2.0"],
      ["int", "zz"],
      ["int", "12"],
      ["complex", "1.0"],
      ["bytes", "0"],
      ["bytes", "xy"],
      ["Decimal", "one"],
      ["Fraction", "1/0"],
      ["Fraction", "1"],
      ["range", 0, 5, 0],
      ["range", 0, 5],
      ["range", 0, ["list"], 1],
      ["namedtuple", "P"],
      ["namedtuple", "P", ["list", 1]],
      ["toString"],
      ["constructor", "x"],
      nested(300),
    ];
    for (const value of forged) expect([value, isPythonValue(value as PythonValue)]).toEqual([value, false]);
    expect(isPythonValue(JSON.parse(`${'["list",'.repeat(50_000)}1${"]".repeat(50_000)}`))).toBe(false);
  });
});
