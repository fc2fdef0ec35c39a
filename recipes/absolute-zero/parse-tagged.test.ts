/** Replies in every form that models give them. */
import { expect, test } from "vitest";
import { parseAnswer, parseCases, parseTriplet } from "./parse-tagged.ts";
import { isWellFormed } from "./reply-format.ts";

const reply = (answer: string): string => `<think>a plan</think>\n<answer>\n${answer}\n</answer>`;
const fence = (tag: string, body: string): string => `\`\`\`${tag}\n${body}\n\`\`\`\n`;
const identity = "def f(x):\n    return x";

test.each([
  ["<think>a</think> <answer>b</answer>", true],
  ["<think></think><answer></answer>", true],
  ["<think>a</think>\n\n<answer>b</answer> and more", true],
  ["<think>a</think> so <answer>b</answer>", false],
  ["<think>a <answer>b</answer>", false],
  ["a</think><answer>b</answer>", false],
  ["<think>a</think><answer>b", false],
  ["<think>a</think> so </think><answer>b</answer>", false],
  [" <think>a</think><answer>b</answer>", false],
])("the form of %s: %s", (text, expected) => {
  expect(isWellFormed(text)).toBe(expected);
});

test("a proposal is the first program and the first input of the last answer", () => {
  const text = `${reply("none")}${reply(fence("python", identity) + fence("input", "1, 'a'") + fence("input", "2"))}`;
  expect(parseTriplet(text, "one")).toMatchObject({
    kind: "triplet",
    program: identity,
    input: "1, 'a'",
    thought: "a plan",
  });
});

test("the tag of a program may be missing, and the form of the reply broken", () => {
  const answer = `<answer>${fence("", identity)}${fence("input", "1")}`;
  expect(parseTriplet(answer, "one")).toMatchObject({ kind: "triplet", isWellFormed: false });
});

test("a function of another name is called f, with its calls", () => {
  const program = "def add(a, b):\n    return a if b == 0 else add(a + 1, b - 1)";
  const parsed = parseTriplet(reply(fence("python", program) + fence("input", "1, 2")), "one");
  expect(parsed).toMatchObject({ program: program.replaceAll("add", "f") });
});

test.each([
  ["no answer", "<think>a</think>", "expected the program"],
  ["no block", reply("def f(x): return x"), "expected the program"],
  [
    "an input before the program",
    reply(fence("input", "1") + fence("python", identity)),
    "expected the program",
  ],
  ["no input", reply(fence("python", identity)), "expected a block with an input"],
  [
    "a program without functions",
    reply(fence("python", "x = 1") + fence("input", "1")),
    "defines a function",
  ],
  ["an unclosed block", reply("```python\ndef f(x): return x"), "expected the program"],
  [
    "a nested function",
    reply(fence("python", `${identity}\n    def g(): pass`) + fence("input", "1")),
    "f, g",
  ],
  [
    "a method",
    reply(fence("python", `class A:\n    def m(self): pass\n${identity}`) + fence("input", "1")),
    "m, f",
  ],
])("%s is no proposal", (_what, text, reason) => {
  expect(parseTriplet(text, "one")).toEqual({ kind: "unreadable", reason: expect.stringContaining(reason) });
});

test("where several functions are allowed, f is called, else the last", () => {
  const two = "def g(x):\n    return x\ndef h(x):\n    return g(x)";
  const several = parseTriplet(reply(fence("python", two) + fence("input", "1")), "several");
  expect(several).toMatchObject({ program: "def g(x):\n    return x\ndef f(x):\n    return g(x)" });
  const named = `${identity}\ndef g(x):\n    return f(x)`;
  const kept = parseTriplet(reply(fence("python", named) + fence("input", "1")), "several");
  expect(kept).toMatchObject({ program: named });
});

test("of twelve inputs the last ten count, nine are too few, and a message has to be there", () => {
  const inputs = Array.from({ length: 12 }, (_value, index) => fence("input", String(index)));
  const message = fence("message", "a hint");
  expect(parseCases(reply(inputs.join("") + message), 10)).toMatchObject({
    inputs: ["2", "3", "4", "5", "6", "7", "8", "9", "10", "11"],
    message: "a hint",
  });
  expect(parseCases(reply(inputs.slice(3).join("") + message), 10)).toMatchObject({
    reason: "expected 10 inputs, got 9",
  });
  expect(parseCases(reply(inputs.join("")), 10)).toMatchObject({ reason: "expected a block with a message" });
});

test.each([
  [fence("output", "1") + fence("output", "[2]"), "[2]"],
  ["so # Output: 7", "7"],
  ["<output>'a'</output>", "'a'"],
  ["I think the output is 12.", "12"],
  ["  5 ", "5"],
])("the output in %s", (answer, expected) => {
  expect(parseAnswer(reply(answer), "deduction")).toEqual({ text: expected, isWellFormed: true });
});

test.each([
  [fence("input", "1, 2"), "1, 2"],
  ["then f(3, (4))", "3, (4)"],
  ["the input is 'x'", "'x'"],
])("the input in %s", (answer, expected) => {
  expect(parseAnswer(reply(answer), "abduction").text).toBe(expected);
});

test("a program that answers is the last block of code, under its own name", () => {
  const answer = fence("python", "def no(x): pass") + fence("py", "def g(x): return x") + fence("input", "1");
  expect(parseAnswer(reply(answer), "induction").text).toBe("def g(x): return x");
  expect(parseAnswer(reply("no code"), "induction").text).toBeNull();
  expect(parseAnswer("no answer at all", "deduction")).toEqual({ text: null, isWellFormed: false });
});
