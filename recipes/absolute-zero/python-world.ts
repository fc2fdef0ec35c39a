/** Python as models write it: prompts in words, replies with tags and fenced blocks, a tokenizer from a folder. */
import type { Segment } from "spar/games";
import { chatRenderer, loadTokenizerFolder, plainRenderer } from "spar/text";
import { bannedModules } from "./banned-modules.ts";
import { parseAnswer, parseCases, parseTriplet, type FunctionRule } from "./parse-tagged.ts";
import { casesProposal, question, tripletProposal } from "./prompts.ts";
import { thinkOpen } from "./reply-format.ts";
import { shippedSeeds } from "./shipped-seeds.ts";
import type { World, Wording } from "./world.ts";

export interface PythonWorldOptions {
  readonly tokenizerFolder: string;
  readonly template: "plain" | "chat";
  readonly contextLength: number;
  readonly inputCount: number;
  readonly functions: FunctionRule;
}

export function pythonWording({
  inputCount,
  functions,
}: Pick<PythonWorldOptions, "inputCount" | "functions">): Wording {
  const rules = { bannedModules, isOneFunction: functions === "one" };
  return {
    opening: thinkOpen,
    proposerPrompt: (inspiration) =>
      asPrompt(
        inspiration.type === "induction"
          ? casesProposal(inspiration.program, inputCount)
          : tripletProposal(inspiration.type, inspiration.references, rules),
      ),
    solverPrompt: (type, task) => asPrompt(question(type, task)),
    parseProposal: (type, reply) =>
      type === "induction" ? parseCases(reply, inputCount) : parseTriplet(reply, functions),
    parseAnswer: (type, reply) => parseAnswer(reply, type),
  };
}

/** @throws what tokenizers throw */
export async function pythonWorld(options: PythonWorldOptions): Promise<World> {
  const tokenizer = await loadTokenizerFolder(options.tokenizerFolder);
  return {
    ...pythonWording(options),
    tokenizer,
    renderer:
      options.template === "chat" ? chatRenderer(tokenizer) : plainRenderer(tokenizer, { suffix: "\n" }),
    contextLength: options.contextLength,
    // Benchmarks are other data: nothing that is proposed is kept from them.
    isHeldOut: () => false,
    randomProposal: (inspiration, random) => shippedProposal(inspiration, random, options.inputCount),
  };
}

/** A shipped program, or its inputs over and over with a number that makes them differ. */
function shippedProposal(
  inspiration: Parameters<World["randomProposal"]>[0],
  random: Parameters<World["randomProposal"]>[1],
  inputCount: number,
): string {
  if (inspiration.type !== "induction") {
    const { program, inputs } = random.pick(shippedSeeds);
    return written([`python\n${program}`, `input\n${random.pick(inputs)}`]);
  }
  const known = shippedSeeds.find(({ program }) => program === inspiration.program)?.inputs ?? ["1"];
  const inputs = Array.from({ length: inputCount }, (_value, index) => known[index % known.length] ?? "1");
  return written([
    ...inputs.map((input) => `input\n${input}`),
    "message\nwhat is done is shown by the cases",
  ]);
}

function written(blocks: readonly string[]): string {
  return `${thinkOpen}</think><answer>${blocks.map((block) => `\`\`\`${block}\n\`\`\`\n`).join("")}</answer>`;
}

function asPrompt(text: string): readonly Segment[] {
  return [{ kind: "text", role: "user", text }];
}
