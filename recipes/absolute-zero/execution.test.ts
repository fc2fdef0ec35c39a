/** Validation and verdicts, on the real sandbox. */
import { messageOf } from "spar/base";
import { openPythonSandbox, pyodideBackend, type PythonSandbox } from "spar/verifiers/python";
import { afterAll, beforeAll, expect, test, vi } from "vitest";
import { bannedModules } from "./banned-modules.ts";
import { judgeAnswer, type Executor, type Question } from "./judge.ts";
import { literalOf } from "./python-literal.ts";
import { identityProgram, splitCases, type InductionTask, type TaskType } from "./tasks.ts";
import { validate, type Validation, type ValidationRules } from "./validate.ts";

// Interpreters that are ended start anew, which takes its time on a busy machine.
vi.setConfig({ testTimeout: 60_000 });

let sandbox: PythonSandbox;
let executor: Executor;
beforeAll(async () => {
  sandbox = await openPythonSandbox({ backend: pyodideBackend(), workerCount: 1 });
  executor = { sandbox, limits: { timeMs: 300 } };
}, 240_000);
afterAll(async () => sandbox.close());

const rules: ValidationRules = { bannedModules, acceptsNone: false, maxOutputCharacters: 4096 };
const validated = (
  program: string,
  input: string,
  changed: Partial<ValidationRules> = {},
): Promise<Validation> =>
  validate(
    executor,
    { ...rules, ...changed },
    { kind: "triplet", program, input, thought: "", isWellFormed: true },
    {},
  );

/** The output of a program for an input, then what an answer to it is judged to be. */
async function judged(
  type: TaskType,
  program: string,
  input: string,
  answer: string | null,
): Promise<string> {
  const validation = await validated(program, input, { acceptsNone: true });
  if (validation.kind !== "valid") throw new Error(`expected a task, got ${JSON.stringify(validation)}`);
  const question: Question = { type, task: validation.task, inductionScore: "all" };
  return (await judgeAnswer(executor, question, answer)).verdict.kind;
}

test.each([
  ["a counter in the module", "n = 0\ndef f(x):\n    global n\n    n += 1\n    return n + x", "1"],
  ["a fresh nan", "def f(x):\n    return float('nan')", "1"],
  ["a list with a fresh nan", "def f(x):\n    return [float('nan')]", "1"],
  ["an object without equality", "class A: pass\ndef f(x):\n    return A()", "1"],
  ["a generator", "def f(x):\n    return (y for y in x)", "[1]"],
  ["a lambda", "def f(x):\n    return lambda: x", "1"],
  ["the address of an object", "def f(x):\n    return id(object())", "1"],
  ["the hash of a text", "def f(x):\n    return hash(x)", "'a'"],
  [
    "the order of a set of texts",
    "def f(x):\n    return list(set(x))",
    "['a', 'b', 'c', 'd', 'e', 'f', 'g']",
  ],
])("%s is not deterministic", async (_what, program, input) => {
  expect(await validated(program, input)).toMatchObject({ kind: "invalid", stage: "determinism" });
});

test.each([
  ["the one nan of math", "import math\ndef f(x):\n    return [math.nan]", "1"],
  ["an argument changed in place", "def f(x):\n    x.append(len(x))\n    return x", "[1]"],
  ["arguments by name, with a comment", "def f(x, y):\n    return x + y", "1, y=2 # so"],
])("%s is deterministic", async (_what, program, input) => {
  expect(await validated(program, input)).toMatchObject({ kind: "valid" });
});

test.each([
  ["safety", "import random\ndef f(x):\n    return x", "1"],
  ["integrity", "def f(x):\n    return 1 / x", "0"],
  ["integrity", "def f(x):\n    return", "0"],
  ["integrity", "def f(x):\n    return 'a' * 5000", "0"],
  ["integrity", "def f(x):\n    return x", "1) or (2"],
  ["integrity", "def f(x):\n    return x", ""],
  ["integrity", "def f(x:\n    return x", "1"],
  ["integrity", "def f(x):\n    return x\0", "1"],
  ["integrity", "def f(x):\n    return x", "(" + "[".repeat(5000)],
])("a proposal fails at %s: %j on %j", async (stage, program, input) => {
  expect(await validated(program, input)).toMatchObject({ kind: "invalid", stage });
});

test("a program that does not end is none", async () => {
  const validation = await validated("def f(x):\n    while True: pass", "0");
  expect(validation.kind).not.toBe("valid");
}, 240_000);

test("None is something returned where that is allowed", async () => {
  expect(await validated("def f(x):\n    return", "0", { acceptsNone: true })).toMatchObject({
    kind: "valid",
  });
});

test("an exception whose name tells nothing, and a function that reads like input, change nothing", async () => {
  const stop = "class Stop(Exception): pass\ndef f(x):\n    raise Stop('never mind')";
  expect(await validated(stop, "1")).toMatchObject({
    stage: "integrity",
    reason: expect.stringContaining("Stop"),
  });
  const reader = "def process_input(x):\n    return x\ndef f(x):\n    return process_input(x)";
  expect(await validated(reader, "1")).toMatchObject({ kind: "valid" });
});

test.each([
  ["def f(x):\n    return x * x", "4", { "4": true, "-4": true, "4.0": true, "4+0j": true, "5": false }],
  ["def f(x):\n    return x * x", "4", { '"a"': false, "": false, x: false, "4, 4": false }],
  ["def f(x):\n    return sorted(x)", "[1, 2]", { "[2, 1]": true }],
  ["def f(x):\n    return set(x)", "[1, 2]", { "[2, 1, 1]": true }],
  ["def f(x):\n    return list(x)", "[1, 2]", { "(1, 2)": true }],
  [identityProgram, "[1, 2]", { "(1, 2)": false }],
  [identityProgram, "1", { True: true }],
  ["def f(x):\n    return x / 3 if x != 7 else 0.1", "7", { "0.3": false }],
])("abduction: %s of %s", async (program, input, answers) => {
  for (const [answer, isRight] of Object.entries(answers))
    expect(await judged("abduction", program, input, answer), answer).toBe(isRight ? "pass" : "fail");
});

test.each([
  "5) or (True",
  "type('E', (), {'__eq__': lambda *a: True})()",
  "(lambda: 16)()",
  "__import__('os')",
  "exec('f = lambda x: 16')",
  "f(4)",
])("abduction refuses %s", async (answer) => {
  expect(await judged("abduction", identityProgram, "16", answer)).toBe("fail");
});

test("a class of the program that is equal to everything is no output", async () => {
  const program = "class E:\n    def __eq__(self, other): return True\ndef f(x):\n    return x";
  expect(await judged("abduction", program, "16", "E()")).toBe("fail");
});

test.each([
  ["5", { "5.0": true, "2+3": true, "5 ": true, "6": false }],
  ["1", { True: true }],
  ["0.5", { "1/2": true }],
  ["{1, 2}", { "{2, 1}": true }],
  ["{'a': 1, 'b': 2}", { "{'b': 2, 'a': 1}": true }],
  ["(1, 2)", { "1, 2": true, "[1, 2]": false }],
  ["[1, 2]", { "(1, 2)": false }],
  ["0.30000000000000004", { "0.3": false }],
  ["'ab'", { ab: false, '"ab"': true }],
  ["()", { "": false, "()": true }],
  ["'1'", { "'1.0'": false, "1": false }],
  ["'2'", { "'1+1'": false }],
])("deduction of %s", async (value, answers) => {
  for (const [answer, isRight] of Object.entries(answers))
    expect(await judged("deduction", identityProgram, value, answer), answer).toBe(isRight ? "pass" : "fail");
});

test("nan is not even the answer to itself, and no answer is wrong", async () => {
  const task = { kind: "triplet", program: "", originalProgram: "", input: "1", thought: "" } as const;
  const question: Question = {
    type: "deduction",
    task: { ...task, output: ["float", "math.nan"] },
    inductionScore: "all",
  };
  expect((await judgeAnswer(executor, question, "float('nan')")).verdict.kind).toBe("fail");
  expect(await judged("deduction", identityProgram, "1", null)).toBe("fail");
});

test.each([
  "Fraction(1, 3)",
  "Counter('abca')",
  "deque([1, 2])",
  "Decimal('1.50')",
  "OrderedDict([(1, 2)])",
  "frozenset([1])",
  "b'a\\xff\\''",
  "bytearray(b'\\x00z')",
  "(1,)",
  "{}",
  "set()",
  "'it\\'s \"so\"\\n\\x00\u00e9'",
  "-12345678901234567890123",
  "float('-inf')",
  "range(1, 9, 2)",
  "[None, True, 1e-7, {'a': (1, [2])}, 1-2j]",
])("what a solver is shown of %s would be a right answer", async (value) => {
  const imports = "from collections import *\nfrom fractions import *\nfrom decimal import *\n";
  const validation = await validated(`${imports}${identityProgram}`, value);
  if (validation.kind !== "valid" || validation.task.kind !== "triplet")
    throw new Error(JSON.stringify(validation));
  const { task } = validation;
  const literal = literalOf(task.output);
  const question: Question = { type: "deduction", task, inductionScore: "all" };
  expect(literal).not.toBeNull();
  expect((await judgeAnswer(executor, question, literal)).verdict).toEqual({ kind: "pass" });
});

const line: InductionTask = {
  kind: "induction",
  program: "def f(x):\n    return 2 * x + 1",
  cases: [1, 2, 3, 4, 5, 6, 7, 0, -3, 10].map((x) => ({ input: String(x), output: 2 * x + 1 })),
  message: "",
  thought: "",
};

test.each([
  ["def f(x):\n    return 2 * x + 1", 1, 1],
  ["def f(x):\n    return {1: 3, 2: 5, 3: 7, 4: 9, 5: 11}[x]", 0, 0],
  ["def f(x):\n    return 2 * abs(x) + 1", 0, 0.8],
  ["def f(x):\n    return 2.0 * x + 1", 1, 1],
  ["def g(x):\n    return 2 * x + 1", 0, 0],
  ["import sys\ndef f(x):\n    sys.exit(0)", 0, 0],
])("induction by %s", async (answer, all, share) => {
  const score = async (inductionScore: Question["inductionScore"]): Promise<number> =>
    (await judgeAnswer(executor, { type: "induction", task: line, inductionScore }, answer)).score;
  expect(await score("all")).toBe(all);
  expect(await score("share")).toBe(share);
});

test("the first half is shown, the rest is hidden, and nothing is both", () => {
  const counts = [10, 6, 11].map((count) => {
    const { shown, hidden } = splitCases(
      Array.from({ length: count }, (_value, index) => ({ input: String(index), output: index })),
    );
    return [shown.length, hidden.length];
  });
  expect(counts).toEqual([
    [5, 5],
    [3, 3],
    [5, 6],
  ]);
  const repeated = ["1", "2", "1", "3"].map((input) => ({ input, output: 0 }));
  expect(splitCases(repeated).hidden.map(({ input }) => input)).toEqual(["3"]);
});

test("an induction proposal needs every input to work, and one that is new", async () => {
  const proposed = (inputs: string[]): Promise<Validation> =>
    validate(
      executor,
      rules,
      { kind: "cases", inputs, message: "m", thought: "", isWellFormed: false },
      { program: "def f(x):\n    return 6 // x" },
    );
  expect(await proposed(["1", "2", "3", "4"])).toMatchObject({
    kind: "valid",
    isWellFormed: false,
    task: { cases: [{ output: 6 }, { output: 3 }, { output: 2 }, { output: 1 }] },
  });
  expect(await proposed(["1", "2", "0", "4"])).toMatchObject({ kind: "invalid", stage: "integrity" });
  expect(await proposed(["1", "2", "2", "1"])).toMatchObject({
    kind: "invalid",
    reason: "every hidden input is shown already",
  });
});

test("what the sandbox cannot tell is an error, never a fail", async () => {
  const broken: Executor = {
    sandbox: { run: async () => ({ kind: "error", error: "starved", message: "no time" }) },
    limits: {},
  };
  const parsed = {
    kind: "triplet",
    program: identityProgram,
    input: "1",
    thought: "",
    isWellFormed: true,
  } as const;
  expect(await validate(broken, rules, parsed, {})).toMatchObject({ kind: "error" });
  for (const type of ["deduction", "abduction"] as const) {
    const task = { ...parsed, originalProgram: "", output: 1 };
    const { verdict } = await judgeAnswer(broken, { type, task, inductionScore: "all" }, "1");
    expect(verdict.kind).toBe("error");
  }
  const { verdict } = await judgeAnswer(
    broken,
    { type: "induction", task: line, inductionScore: "all" },
    "x",
  );
  expect(verdict.kind).toBe("error");
  expect(messageOf(verdict)).not.toBe("");
});
