/**
 * What `run` and `plan` share: from what was typed to a recipe with resolved options and an engine to
 * run it on. Starts nothing.
 */
import { existsSync } from "node:fs";
import { resolve } from "node:path";
import { SparError, suggestName, type JsonObject } from "../base/index.ts";
import type { Capability } from "../contract/index.ts";
import { resolveOptions } from "../train/index.ts";
import type { Plan, Preset } from "../train/index.ts";
import { findRecipe, type LocatedRecipe } from "./discovery/recipes.ts";
import { parseSetOptions } from "./options/set-option.ts";
import type { InputState } from "./plan/report.ts";
import type { Shell } from "./shell.ts";

export interface RecipeChoice {
  /** An id or a path. */
  readonly recipe: string;
  readonly preset?: string | undefined;
  readonly engine?: string | undefined;
  /** `key=value` texts. */
  readonly set: readonly string[];
}

export interface PreparedRecipe {
  readonly located: LocatedRecipe;
  readonly presetName: string;
  readonly preset: Preset<Record<string, unknown>>;
  /** What was set by hand, nested. */
  readonly overrides: JsonObject;
  readonly options: Record<string, unknown>;
  /** The engine that was named, else that of the preset. */
  readonly engine: string;
  readonly needs: readonly Capability[];
}

/** The preset that is meant where none is named, where the recipe has it; else its first. */
const usualPreset = "nano";

/**
 * @throws `unknown-recipe`, `unknown-preset`, `unknown-option`, `invalid-option`, and what loading throws
 */
export async function prepareRecipe(choice: RecipeChoice, shell: Shell): Promise<PreparedRecipe> {
  const located = await findRecipe({
    typed: choice.recipe,
    place: shell.place,
    workingFolder: shell.workingFolder,
  });
  const { recipe } = located;
  const names = Object.keys(recipe.presets);
  const presetName = choice.preset ?? (names.includes(usualPreset) ? usualPreset : (names[0] ?? usualPreset));
  const preset = recipe.presets[presetName];
  if (preset === undefined) {
    throw new SparError({
      code: "unknown-preset",
      boundary: "command",
      message: `recipe ${recipe.id} has no preset "${presetName}"`,
      hint: suggestName(presetName, names),
    });
  }
  const overrides = parseSetOptions(choice.set, recipe.options);
  const options = resolveOptions(recipe, presetName, overrides);
  const engine = choice.engine ?? preset.engine;
  return {
    located,
    presetName,
    preset,
    overrides,
    options,
    engine,
    needs: [...new Set(recipe.needs(options))],
  };
}

/** Names that are fetched over the network are not looked for here. */
const remoteInput = /^[a-z][a-z0-9+.-]+:\/\//iu;

export function stateOfInputs(
  { inputs, inputHints = {} }: Pick<Plan, "inputs" | "inputHints">,
  workingFolder: string,
): InputState[] {
  return inputs.map((input) => {
    if (remoteInput.test(input)) return { input, state: "remote", hint: null };
    if (existsSync(resolve(workingFolder, input))) return { input, state: "there", hint: null };
    return { input, state: "missing", hint: inputHints[input] ?? null };
  });
}
