/** What is compared and checked before a run begins or goes on: options, recipe, engine. Starts nothing. */
import type { z } from "zod";
import type { JsonObject } from "../base/index.ts";
import { capabilityMissing, missingCapabilities, type Engine } from "../contract/index.ts";
import type { RunManifest } from "../store/index.ts";
import { checkOptions, differingOptions, mergeOptions, optionsToJson } from "./options.ts";
import type { OptionsSchema, Recipe } from "./recipe.ts";
import { trainError } from "./train-errors.ts";

/**
 * The options that a run was begun with.
 *
 * @throws `run-changed` where recipe or options are others now; `invalid-option`
 */
export function optionsOfRun<Schema extends OptionsSchema>(
  recipe: Recipe<Schema>,
  manifest: RunManifest,
  overrides: JsonObject | undefined,
): z.output<Schema> {
  const hint = "resume it with what began it, or start a new run";
  if (recipe.id !== manifest.recipe.id || recipe.version !== manifest.recipe.version) {
    const was = `${manifest.recipe.id} version ${manifest.recipe.version}`;
    throw trainError(
      "run-changed",
      `the run was begun by recipe ${was}, this is ${recipe.id} version ${recipe.version}`,
      { hint },
    );
  }
  const recipeOptions = checkOptions(recipe, mergeOptions(manifest.options, overrides ?? {}));
  const differences = differingOptions(manifest.options, optionsToJson(recipeOptions));
  if (differences.length > 0)
    throw trainError("run-changed", `options of the run differ: ${differences.join("; ")}`, { hint });
  return recipeOptions;
}

/** @throws `capability-missing` */
export function checkNeeds<Schema extends OptionsSchema>(
  recipe: Recipe<Schema>,
  options: z.output<Schema>,
  engine: Engine,
): void {
  const [missing] = missingCapabilities(engine.capabilities, recipe.needs(options));
  if (missing !== undefined) throw capabilityMissing(engine.description.id, missing);
}

/**
 * The arithmetic must be of the same kind; another executor of one engine is the user's choice.
 *
 * @throws `engine-changed`
 */
export function checkEngine(manifest: RunManifest, engine: Engine): void {
  const { id, precision } = manifest.engine.description;
  if (id !== engine.description.id || precision !== engine.description.precision) {
    throw trainError(
      "engine-changed",
      `the run was begun on engine ${id} in ${precision}, this is ${engine.description.id} in ${engine.description.precision}`,
      { hint: `resume it with --engine ${manifest.engine.name}` },
    );
  }
}

/** The option of this name, where the recipe has one, else 1. */
export function checkpointOption(options: object): number {
  if (!("checkpointEverySteps" in options)) return 1;
  return typeof options.checkpointEverySteps === "number" ? options.checkpointEverySteps : 1;
}
