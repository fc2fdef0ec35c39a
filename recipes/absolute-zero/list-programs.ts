/**
 * The list world: programs of one to four statements on a list of four digits, a letter for each statement, which are
 * rendered to Python and executed as such. Small enough for a model of a hundred thousand weights, and guessing earns
 * nothing: an answer has four digits.
 */
import type { Random } from "spar/base";
import type { PythonValue } from "spar/verifiers/python";
import { entryName, type InductionTask, type Triplet } from "./tasks.ts";

export type Digits = readonly number[];

interface Statement {
  readonly python: string;
  /** The same, for rows of the warm-up; a test compares the two. */
  readonly apply: (digits: Digits) => Digits;
}

export const statements: Readonly<Record<string, Statement>> = {
  r: { python: "x = x[::-1]", apply: (digits) => digits.toReversed() },
  t: { python: "x = x[1:] + x[:1]", apply: ([first = 0, ...others]) => [...others, first] },
  w: { python: "x = [x[1], x[0]] + x[2:]", apply: ([a = 0, b = 0, ...others]) => [b, a, ...others] },
  p: { python: "x = [(y + 1) % 10 for y in x]", apply: (digits) => digits.map((digit) => (digit + 1) % 10) },
  h: { python: "x = x[:2] + x[:2]", apply: ([a = 0, b = 0]) => [a, b, a, b] },
  c: { python: "x = x[:3] + x[:1]", apply: ([a = 0, b = 0, c = 0]) => [a, b, c, a] },
  s: { python: "x = sorted(x)", apply: (digits) => digits.toSorted((one, other) => one - other) },
  n: { python: "x = [9 - y for y in x]", apply: (digits) => digits.map((digit) => 9 - digit) },
};

export const letters: readonly string[] = Object.keys(statements);
export const deepest = 4;
export const width = 4;
const lettersOfPython = new Map(Object.entries(statements).map(([letter, { python }]) => [python, letter]));

export function isLetters(text: string): boolean {
  return text.length > 0 && text.length <= deepest && [...text].every((letter) => letter in statements);
}

export function programOf(text: string): string {
  const lines = [...text].map((letter) => `    ${statements[letter]?.python ?? "pass"}\n`);
  return `def ${entryName}(x):\n${lines.join("")}    return x`;
}

/** The letters of a program that `programOf` made; empty for another one, the identity among them. */
export function lettersOf(program: string): string {
  const [, ...lines] = program.split("\n").map((line) => line.trim());
  return lines.map((line) => lettersOfPython.get(line) ?? "").join("");
}

export function applyLetters(text: string, digits: Digits): Digits {
  return [...text].reduce((value, letter) => statements[letter]?.apply(value) ?? value, digits);
}

export function inputOf(digits: string): string {
  return `[${[...digits].join(", ")}]`;
}

export function digitsOfInput(input: string): string {
  return input.replaceAll(/\D/g, "");
}

/** The digits of a list of digits; empty for any other value. */
export function digitsOfValue(value: PythonValue): string {
  if (typeof value !== "object" || value?.[0] !== "list") return "";
  return value.slice(1).join("");
}

export function valueOf(digits: Digits): PythonValue {
  return ["list", ...digits];
}

export function randomDigits(random: Random): string {
  return Array.from({ length: width }, () => random.integer(10)).join("");
}

export function randomLetters(random: Random, depth: number): string {
  return Array.from({ length: depth }, () => random.pick(letters)).join("");
}

export function tripletOf(text: string, digits: string): Triplet {
  const program = programOf(text);
  const output = valueOf(applyLetters(text, [...digits].map(Number)));
  return { kind: "triplet", program, originalProgram: program, input: inputOf(digits), output, thought: "" };
}

export function inductionTaskOf(text: string, inputs: readonly string[]): InductionTask {
  const cases = inputs.map((digits) => {
    const { input, output } = tripletOf(text, digits);
    return { input, output };
  });
  return { kind: "induction", program: programOf(text), cases, message: String(text.length), thought: "" };
}
