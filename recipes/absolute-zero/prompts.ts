/**
 * Prompts for models that read: six roles in our own words. A reply thinks between tags, then answers in fenced blocks,
 * as `parse-tagged.ts` reads them.
 */
import { literalOf } from "./python-literal.ts";
import { entryName, splitCases, type Task, type TaskType, type Triplet } from "./tasks.ts";

const manner = [
  "First think inside <think> </think>: plan what you are going to do, and check it.",
  "Then answer inside <answer> </answer>, and write nothing between the two.",
].join(" ");

function fence(tag: string, body: string): string {
  return `\`\`\`${tag}\n${body}\n\`\`\``;
}

/** What every proposed program has to be. */
function programRules(bannedModules: readonly string[]): string {
  return [
    `- The function that is called is named ${entryName}. It takes at least one argument and returns a value.`,
    "- Everything else that it needs, imports and classes included, stands in the same block, before it.",
    "- The same arguments always give the same value: no chance, no time, no state that outlives a call.",
    "- It reads nothing, writes nothing and prints nothing, and it ends within ten seconds.",
    `- It does not use: ${bannedModules.join(", ")}.`,
    "- What it returns is plain data: numbers, text, lists, tuples, sets, dictionaries.",
  ].join("\n");
}

const inputRule =
  'The input is one line: the arguments as they would stand between the parentheses of a call, text in quotes, such as: 3, "abc", [1, 2]';

export function tripletProposal(
  type: Exclude<TaskType, "induction">,
  references: readonly Triplet[],
  {
    bannedModules,
    isOneFunction,
  }: { readonly bannedModules: readonly string[]; readonly isOneFunction: boolean },
): string {
  const aim =
    type === "deduction"
      ? "somebody who sees the program and the input, and has to work out what the program returns without running it. It is good where it takes several steps of careful reasoning to get the output right."
      : "somebody who sees the program and its output, and has to find an input that gives this output. It is good where the output does not give the input away, and several steps have to be undone.";
  const examples = references.map(
    ({ program, input, output }, index) =>
      `<reference_${index + 1}>\n${fence("python", program)}\n${fence("input", input)}\n${fence("output", literalOf(output) ?? "")}\n</reference_${index + 1}>`,
  );
  return [
    `Invent a Python program and one input for it. They are a puzzle for ${aim}`,
    "",
    "The program:",
    programRules(bannedModules),
    ...(isOneFunction ? ["- It defines one function, without functions or methods inside."] : []),
    "",
    inputRule,
    "",
    "It should run, be hard but possible, and be unlike the references in what it computes, not only in its names.",
    "",
    `Your answer has two blocks, in this order:\n${fence("python", `def ${entryName}(...):\n    ...\n    return ...`)}\n${fence("input", "...")}`,
    "",
    manner,
    ...(examples.length === 0 ? [] : ["", "References, which you must not repeat:", ...examples]),
  ].join("\n");
}

export function casesProposal(program: string, inputCount: number): string {
  return [
    `Here is a Python program. Write ${inputCount} inputs for it, and a message about it. They are a puzzle for somebody who sees half of the inputs with their outputs, and the message, but not the program, and has to write a program that does the same.`,
    "",
    fence("python", program),
    "",
    "- Every input runs without an error, and no two are alike. Together they show all that the program does.",
    `- ${inputRule}`,
    "- The message helps and gives nothing away: it says what kind of thing is computed, contains no code, and leaves something to find out. The puzzle should be hard, not impossible.",
    "",
    `Your answer has ${inputCount} blocks with an input each, then one with the message:\n${fence("input", "...")}\n${fence("message", "...")}`,
    "",
    manner,
  ].join("\n");
}

export function question(type: TaskType, task: Task): string {
  return [questionText(type, task), "", manner].join("\n");
}

function questionText(type: TaskType, task: Task): string {
  if (task.kind === "induction") return inductionQuestion(task);
  const program = fence("python", task.program);
  if (type === "deduction") {
    return [
      `What does ${entryName} return for this input? Work it out step by step.`,
      "",
      program,
      fence("input", task.input),
      "",
      `Your answer has one block, with the value as a Python expression; text in quotes:\n${fence("output", "...")}`,
    ].join("\n");
  }
  return [
    `Find an input for which ${entryName} returns this output. Any that does is right; check yours by following the program.`,
    "",
    program,
    fence("output", literalOf(task.output) ?? ""),
    "",
    `${inputRule}\nYour answer has one block:\n${fence("input", "...")}`,
  ].join("\n");
}

/** The hidden cases and the program do not occur in it. */
function inductionQuestion({ cases, message }: Extract<Task, { kind: "induction" }>): string {
  const shown = splitCases(cases).shown.map(
    ({ input, output }, index) =>
      `Case ${index + 1}:\n${fence("input", input)}\n${fence("output", literalOf(output) ?? "")}`,
  );
  return [
    `A program was run on these inputs. Write one that does the same: a function ${entryName} that takes the arguments of an input and returns its output. It is tested on inputs that you do not see, so find the rule; do not list cases. Check it on every case before you answer.`,
    "",
    ...shown,
    "",
    `A message about it:\n${fence("message", message)}`,
    "",
    `Your answer has one block, with all that the program needs:\n${fence("python", `def ${entryName}(...):\n    ...`)}`,
  ].join("\n");
}
