/** Proposals and answers of models that write tags and fenced blocks. */
import { definedFunctions, renameFunction } from "./python-text.ts";
import { unreadable, type ParsedAnswer, type ParsedProposal } from "./parsed.ts";
import { answerOf, fencesOf, isCodeFence, isWellFormed, looseAnswer, thoughtOf } from "./reply-format.ts";
import { entryName, type TaskType } from "./tasks.ts";

/**
 * How many functions a proposed program may define: `one`, nested ones and methods counted, or `several`, of which the
 * last is called.
 */
export type FunctionRule = "one" | "several";

/** A program, then one input. */
export function parseTriplet(reply: string, functions: FunctionRule): ParsedProposal {
  const fences = fencesOf(answerOf(reply) ?? "");
  const [first] = fences;
  if (first === undefined || !isCodeFence(first))
    return unreadable("expected the program in the first block of the answer");
  const input = fences.find(({ tag }) => tag === "input");
  if (input === undefined) return unreadable("expected a block with an input after the program");
  const program = entryOf(first.body, functions);
  if (program.kind === "unreadable") return program;
  return {
    kind: "triplet",
    program: program.text,
    input: input.body,
    thought: thoughtOf(reply),
    isWellFormed: isWellFormed(reply),
  };
}

/** The program with its function under the name that is called. */
function entryOf(
  program: string,
  functions: FunctionRule,
): { readonly kind: "program"; readonly text: string } | ReturnType<typeof unreadable> {
  const names = definedFunctions(program);
  if (names.length === 0) return unreadable("expected a program that defines a function");
  if (functions === "one" && names.length > 1)
    return unreadable(`expected one function, got ${names.length}: ${names.slice(0, 5).join(", ")}`);
  if (names.includes(entryName)) return { kind: "program", text: program };
  const name = (functions === "one" ? names[0] : names.at(-1)) ?? entryName;
  return { kind: "program", text: renameFunction(program, name, entryName) };
}

/** A number of inputs, the last ones where there are more, and a message. */
export function parseCases(reply: string, inputCount: number): ParsedProposal {
  const fences = fencesOf(answerOf(reply) ?? "");
  const inputs = fences.filter(({ tag }) => tag === "input").map(({ body }) => body);
  if (inputs.length < inputCount) return unreadable(`expected ${inputCount} inputs, got ${inputs.length}`);
  const message = fences.find(({ tag }) => tag === "message");
  if (message === undefined) return unreadable("expected a block with a message");
  return {
    kind: "cases",
    inputs: inputs.slice(-inputCount),
    message: message.body,
    thought: thoughtOf(reply),
    isWellFormed: isWellFormed(reply),
  };
}

/** What is judged. */
export function parseAnswer(reply: string, type: TaskType): ParsedAnswer {
  const answer = answerOf(reply);
  if (answer === null) return { text: null, isWellFormed: false };
  return { text: answerText(answer, type), isWellFormed: isWellFormed(reply) };
}

function answerText(answer: string, type: TaskType): string | null {
  switch (type) {
    case "deduction":
      return looseAnswer(answer, "output");
    case "abduction":
      return looseAnswer(answer, "input");
    case "induction":
      return fencesOf(answer).findLast(isCodeFence)?.body ?? null;
  }
}
