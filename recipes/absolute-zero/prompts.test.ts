/** What each of the six roles is told, and what must not be told. */
import { createRandom } from "spar/base";
import { expect, test } from "vitest";
import { pythonWording } from "./python-world.ts";
import { shippedSeeds } from "./shipped-seeds.ts";
import { type InductionTask, type TaskType, type Triplet } from "./tasks.ts";
import type { Inspiration } from "./world.ts";

const wording = pythonWording({ inputCount: 4, functions: "one" });
const triplet: Triplet = {
  kind: "triplet",
  program: "def f(x):\n    return x + 40_001",
  originalProgram: "",
  input: "30_303",
  output: 70_304,
  thought: "a thought",
};
const cases: InductionTask = {
  kind: "induction",
  program: triplet.program,
  cases: [1, 2, 50_005, 60_006].map((x) => ({ input: String(x), output: x + 40_001 })),
  message: "something is added",
  thought: "",
};
const textOf = (segments: ReturnType<typeof wording.solverPrompt>): string =>
  segments.map((segment) => (segment.kind === "text" ? segment.text : "")).join("");

test.each<[TaskType, readonly string[], readonly string[]]>([
  ["deduction", ["x + 40_001", "30_303"], ["70304", "a thought"]],
  ["abduction", ["x + 40_001", "70304"], ["30_303", "a thought"]],
  [
    "induction",
    ["40002", "something is added", "```input\n2\n```"],
    ["40_001", "50005", "60006", "90006", "100007"],
  ],
])("a solver of %s sees what it may, and nothing else", (type, seen, hidden) => {
  const text = textOf(wording.solverPrompt(type, type === "induction" ? cases : triplet));
  for (const part of seen) expect(text).toContain(part);
  for (const part of hidden) expect(text).not.toContain(part);
});

test("a proposer sees its references whole, numbered, and the rules that it is judged by", () => {
  const text = textOf(wording.proposerPrompt({ type: "deduction", references: [triplet, triplet] }));
  for (const part of [
    "<reference_2>",
    "x + 40_001",
    "30_303",
    "70304",
    "os.environ",
    "unlike the references",
  ])
    expect(text).toContain(part);
  const alone = textOf(wording.proposerPrompt({ type: "abduction", references: [] }));
  expect(alone).not.toContain("reference_1");
  expect(alone).not.toBe(textOf(wording.proposerPrompt({ type: "deduction", references: [] })));
});

test("one who proposes inputs sees the program and their number", () => {
  const text = textOf(wording.proposerPrompt({ type: "induction", program: triplet.program }));
  for (const part of ["x + 40_001", "4 inputs", "```message"]) expect(text).toContain(part);
});

test("every seed has inputs enough, and its text is a proposal as a model would write it", () => {
  expect(new Set(shippedSeeds.map(({ program }) => program)).size).toBe(shippedSeeds.length);
  for (const { inputs } of shippedSeeds) expect(new Set(inputs).size).toBeGreaterThanOrEqual(10);
  expect(createRandom(1).pick(shippedSeeds).program).toMatch(/^def f\(x\):/);
});

test("a proposer's and a solver's example of a block are read as what they are", () => {
  const inspiration: Inspiration = { type: "deduction", references: [] };
  expect(textOf(wording.proposerPrompt(inspiration))).toContain("```python\ndef f(...):");
  const reply = "<think>t</think><answer>```python\ndef f(x):\n    return x\n```\n```input\n1\n```</answer>";
  expect(wording.parseProposal("deduction", reply)).toMatchObject({ kind: "triplet", isWellFormed: true });
  expect(wording.parseAnswer("induction", reply)).toMatchObject({ text: "def f(x):\n    return x" });
});
