/**
 * The engine that a recipe is to run on: the one that was typed, else that of its preset. A preset may name an
 * engine that this version does not have yet; whoever asks for that one asks for something planned, not for
 * something unknown.
 */
import { SparError } from "../../base/index.ts";
import type { PreparedRecipe } from "../prepare.ts";
import type { Shell } from "../shell.ts";
import { findEngine, hasEngine, listEngines, type LocatedEngine } from "./engines.ts";
import { looksLikePath } from "./load-module.ts";

/** Whether presets name an engine that is not here. */
export function isPlanned(engine: string, presets: PresetEngines, place: Shell["place"]): boolean {
  if (looksLikePath(engine) || hasEngine(engine, place)) return false;
  return Object.values(presets).some((preset) => preset.engine === engine);
}

export type PresetEngines = Readonly<Record<string, { readonly engine: string }>>;

/** @throws `engine-unavailable` where it is planned, and what `findEngine` throws */
export async function chooseEngine(
  prepared: Pick<PreparedRecipe, "located" | "presetName" | "preset" | "engine">,
  shell: Shell,
): Promise<LocatedEngine> {
  const { place, workingFolder } = shell;
  const { engine, presetName, preset } = prepared;
  const { recipe } = prepared.located;
  if (!isPlanned(engine, recipe.presets, place)) return findEngine({ typed: engine, place, workingFolder });
  const ids = (await listEngines(place)).map(({ id }) => id);
  const isOfPreset = engine === preset.engine;
  throw new SparError({
    code: "engine-unavailable",
    boundary: "engine",
    message: isOfPreset
      ? `preset ${presetName} of ${recipe.id} wants engine ${engine}, which this version does not have`
      : `engine ${engine} is planned, this version does not have it`,
    hint: `spar plan ${recipe.id} --preset ${presetName} says what it needs; --engine chooses another: ${ids.join(", ")}`,
  });
}
