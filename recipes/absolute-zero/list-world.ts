/**
 * The list world in letters and digits, a token each. Uppercase asks for a proposal, lowercase for an answer; programs are
 * padded with points where they stand in a prompt, so that replies begin in few different columns.
 *
 * ```
 * Drs3142|          -> tw:5210        propose a task for deduction, shown one reference
 * Irs..             -> 31425210...2   propose inputs and a message, one digit, for a program
 * drs..3142         -> 2134           what comes out?
 * ars..2134         -> 3142           what went in?
 * i31422134|...2    -> rs             which program is it?
 * ```
 */
import type { Random } from "spar/base";
import type { Segment } from "spar/games";
import { characterTokenizer, plainRenderer } from "spar/text";
import {
  deepest,
  digitsOfInput,
  digitsOfValue,
  inputOf,
  isLetters,
  letters,
  lettersOf,
  programOf,
  randomDigits,
  randomLetters,
  width,
} from "./list-programs.ts";
import { unreadable, type ParsedAnswer, type ParsedProposal } from "./parsed.ts";
import { splitCases, type Task, type TaskType } from "./tasks.ts";
import type { Inspiration, World } from "./world.ts";

export interface ListWorldOptions {
  readonly inputCount: number;
  readonly referenceCount: number;
}

export const listSymbols = `${letters.join("")}0123456789DAIdai:|.`;
const proposerMarks: Readonly<Record<TaskType, string>> = { deduction: "D", abduction: "A", induction: "I" };
const solverMarks: Readonly<Record<TaskType, string>> = { deduction: "d", abduction: "a", induction: "i" };
const digitsOnly = /^\d{4}$/;

/** How many programs of a depth are kept for evaluation. */
const heldOutByDepth: Readonly<Record<number, number>> = { 2: 16, 3: 48, 4: 48 };

/** By depth; the same for the same seed. */
export function heldOutPrograms(random: Random): ReadonlyMap<number, readonly string[]> {
  const kept = new Map<number, readonly string[]>();
  for (const [depth, count] of Object.entries(heldOutByDepth)) {
    const draws = random.split("held-out", Number(depth));
    const programs = new Set<string>();
    for (let draw = 0; programs.size < count; draw++)
      programs.add(randomLetters(draws.split(draw), Number(depth)));
    kept.set(Number(depth), [...programs]);
  }
  return kept;
}

export function listWorld(options: ListWorldOptions, random: Random): World {
  const tokenizer = characterTokenizer({ symbols: listSymbols });
  const heldOut = new Set([...heldOutPrograms(random).values()].flat());
  return {
    tokenizer,
    renderer: plainRenderer(tokenizer),
    contextLength: listContextLength(options),
    opening: "",
    proposerPrompt: (inspiration) => asPrompt(proposerText(inspiration)),
    solverPrompt: (type, task) => asPrompt(solverText(type, task)),
    parseProposal: (type, reply) => parseProposal(type, reply, options),
    parseAnswer,
    isHeldOut: ({ program }) => heldOut.has(lettersOf(program)),
    randomProposal: (inspiration, draws) => randomProposal(inspiration, draws, { options, heldOut }),
  };
}

/** The longest of: references and a proposal, a program and inputs, cases and a program; and the end. */
export function listContextLength({ inputCount, referenceCount }: ListWorldOptions): number {
  const reference = deepest + width + 1;
  const proposing = 1 + referenceCount * reference + reference;
  const inputs = 1 + deepest + inputCount * width + 1;
  const inducing = 1 + Math.floor(inputCount / 2) * (2 * width + 1) + 1 + deepest;
  return Math.max(proposing, inputs, inducing) + 1;
}

function asPrompt(text: string): readonly Segment[] {
  return [{ kind: "text", role: "user", text }];
}

export function proposerText(inspiration: Inspiration): string {
  const mark = proposerMarks[inspiration.type];
  if (inspiration.type === "induction") return `${mark}${padded(inspiration.program)}`;
  const references = inspiration.references.map(
    ({ program, input }) => `${lettersOf(program)}${digitsOfInput(input)}|`,
  );
  return `${mark}${references.join("")}`;
}

export function solverText(type: TaskType, task: Task): string {
  const mark = solverMarks[type];
  if (task.kind === "induction") {
    const shown = splitCases(task.cases).shown.map(
      ({ input, output }) => `${digitsOfInput(input)}${digitsOfValue(output)}|`,
    );
    return `${mark}${shown.join("")}${task.message}`;
  }
  const known = type === "deduction" ? digitsOfInput(task.input) : digitsOfValue(task.output);
  return `${mark}${padded(task.program)}${known}`;
}

function padded(program: string): string {
  return lettersOf(program).padEnd(deepest, ".");
}

function parseProposal(type: TaskType, reply: string, { inputCount }: ListWorldOptions): ParsedProposal {
  if (type === "induction") {
    const size = inputCount * width;
    if (!/^\d+$/.test(reply) || reply.length !== size + 1)
      return unreadable(`expected ${size + 1} digits, got ${JSON.stringify(reply)}`);
    const inputs = Array.from({ length: inputCount }, (_value, index) =>
      inputOf(reply.slice(index * width, (index + 1) * width)),
    );
    return { kind: "cases", inputs, message: reply.slice(size), thought: "", isWellFormed: true };
  }
  const [text = "", digits = ""] = reply.split(":");
  if (!isLetters(text) || !digitsOnly.test(digits) || reply !== `${text}:${digits}`)
    return unreadable(`expected statements, a colon and four digits, got ${JSON.stringify(reply)}`);
  return {
    kind: "triplet",
    program: programOf(text),
    input: inputOf(digits),
    thought: "",
    isWellFormed: true,
  };
}

/** What is no answer by its form is none at all. */
function parseAnswer(type: TaskType, reply: string): ParsedAnswer {
  if (type === "induction")
    return isLetters(reply)
      ? { text: programOf(reply), isWellFormed: true }
      : { text: null, isWellFormed: false };
  return digitsOnly.test(reply)
    ? { text: inputOf(reply), isWellFormed: true }
    : { text: null, isWellFormed: false };
}

/** Each depth as likely as any other; a held-out program is drawn again. */
function randomProposal(
  inspiration: Inspiration,
  random: Random,
  { options, heldOut }: { readonly options: ListWorldOptions; readonly heldOut: ReadonlySet<string> },
): string {
  if (inspiration.type === "induction") {
    const inputs = Array.from({ length: options.inputCount }, () => randomDigits(random));
    return `${inputs.join("")}${lettersOf(inspiration.program).length}`;
  }
  for (;;) {
    const text = randomLetters(random, 1 + random.integer(deepest));
    if (!heldOut.has(text)) return `${text}:${randomDigits(random)}`;
  }
}
