/** Measures of programs by hand, and what becomes of them in a reward. */
import { openPythonSandbox, pyodideBackend, type PythonSandbox } from "spar/verifiers/python";
import { afterAll, beforeAll, expect, test, vi } from "vitest";
import { intrinsicValues, probabilityOf, withIntrinsic, type IntrinsicOptions } from "./intrinsic.ts";
import type { Executor } from "./judge.ts";
import { measureProgram, stripProgram } from "./measures.ts";

vi.setConfig({ testTimeout: 60_000 });

let sandbox: PythonSandbox;
let executor: Executor;
beforeAll(async () => {
  sandbox = await openPythonSandbox({ backend: pyodideBackend(), workerCount: 1 });
  executor = { sandbox, limits: { timeMs: 5000 } };
}, 240_000);
afterAll(async () => sandbox.close());

const program = [
  "import math",
  "limit = 3  # a remark",
  "def f(x):",
  '    """Says what it does."""',
  "    for y in x:",
  "        if y > 1 and y < limit:",
  "            return y + y",
  "    return 0",
  "print(f([1]))",
].join("\n");

test("complexity counts branches, more where they are nested", async () => {
  const measures = await measureProgram(executor, program, []);
  // for: 1; if in it: 2; and: 1. Ways: 1, for, if, and.
  expect(measures).toMatchObject({ cognitive: 4, cyclomatic: 4, distance: 0 });
  // Operators and, >, <, +: 4 of 4; operands: (y > 1), (y < limit), y, 1, y, limit, y, y: 5 of 8.
  expect(measures?.volume).toBeCloseTo(12 * Math.log2(9), 9);
  expect(measures?.effort).toBeCloseTo((4 / 2) * (8 / 5) * 12 * Math.log2(9), 9);
});

test("a program has no distance to itself, and some to another", async () => {
  expect((await measureProgram(executor, program, [program]))?.distance).toBe(0);
  const other = await measureProgram(executor, program, [program, "def f(x):\n    return x"]);
  expect(other?.distance).toBeGreaterThan(0.2);
  expect(other?.distance).toBeLessThan(0.5);
  expect(await measureProgram(executor, "def f(:", [])).toBeNull();
});

test("what is stripped is remarks, and what a module does besides defining", async () => {
  expect(await stripProgram(executor, program)).toBe(
    "import math\n\ndef f(x):\n    for y in x:\n        if y > 1 and y < limit:\n            return y + y\n    return 0",
  );
  expect(await stripProgram(executor, "def f(:")).toBe("def f(:");
});

const options = (changed: Partial<IntrinsicOptions>): IntrinsicOptions => ({
  coefficients: { complexity: 1, halstead: 0, editDistance: 1, answerDiversity: 0 },
  maximum: 0.5,
  combination: "sum",
  ...changed,
});
const values = { complexity: 0.2, halstead: 9, editDistance: 0.9, answerDiversity: 9 };

test("each is cut at its most, and they meet learnability in four ways", () => {
  expect(withIntrinsic(0.5, values, options({}))).toBeCloseTo(0.5 + 0.2 + 0.5, 12);
  expect(withIntrinsic(0.5, values, options({ combination: "product" }))).toBeCloseTo(0.5 * 0.2 * 0.5, 12);
  expect(withIntrinsic(0.5, values, options({ combination: "add-product" }))).toBeCloseTo(0.5 + 0.1, 12);
  expect(withIntrinsic(0.5, values, options({ combination: "times-sum" }))).toBeCloseTo(0.5 * 0.7, 12);
});

test("nothing is added where nothing can be learned, or where every coefficient is 0", () => {
  for (const reward of [0, -0.5, -1]) expect(withIntrinsic(reward, values, options({}))).toBe(reward);
  const off = { complexity: 0, halstead: 0, editDistance: 0, answerDiversity: 0 };
  for (const combination of ["sum", "product", "add-product", "times-sum"] as const)
    expect(withIntrinsic(0.5, values, options({ coefficients: off, combination }))).toBe(0.5);
});

test("values before their coefficients", () => {
  const measures = { cognitive: 30, cyclomatic: 5, volume: 250, effort: 20_000, distance: 0.3 };
  expect(intrinsicValues(measures, 0.25)).toEqual({
    complexity: 2,
    halstead: 0.5 + 0.15 + 0.1,
    editDistance: 0.3,
    answerDiversity: 0.75,
  });
  const counts = new Map([
    ["1", 3],
    ["2", 1],
  ]);
  expect(["1", "2", "3"].map((answer) => probabilityOf(answer, counts))).toEqual([0.75, 0.25, 0]);
  expect(probabilityOf("1", new Map())).toBe(0);
});
