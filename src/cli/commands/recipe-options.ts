/** The arguments and options by which commands choose a recipe, and those that every command has. */
import { Option, type Command } from "commander";
import { wholeNumber } from "./number-argument.ts";

export interface RecipeOptions {
  readonly preset?: string;
  readonly engine?: string;
  readonly set: readonly string[];
  readonly seed: number;
  readonly json?: boolean;
}

const usualSeed = 1;

export function addRecipeOptions(command: Command): Command {
  return command
    .option("-p, --preset <name>", "settings that come with the recipe: spar list shows them")
    .option("-e, --engine <id>", "what holds the tensors; else the engine of the preset")
    .addOption(
      new Option("-s, --set <key=value>", "change an option, may be repeated; dotted names reach into groups")
        .argParser(collect)
        .default([], "none"),
    )
    .option("--seed <number>", "where all randomness comes from", wholeNumber({ minimum: 0 }), usualSeed);
}

/** Gathers a repeatable option. */
export function collect(value: string, earlier: unknown): string[] {
  return [...(Array.isArray(earlier) ? earlier.map(String) : []), value];
}

export function addCommonOptions(command: Command): Command {
  return command.option("--verbose", "show where an error came from");
}
