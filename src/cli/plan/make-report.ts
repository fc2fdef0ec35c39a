/** Finds out what a run would do: the recipe's own plan, who can run it, what is missing. */
import { messageOf, SparError, type JsonObject } from "../../base/index.ts";
import { randomOfRun } from "../../train/index.ts";
import { missingCapabilities, type Capability } from "../../contract/index.ts";
import { chooseEngine, isPlanned } from "../discovery/choose-engine.ts";
import {
  capabilitiesOf,
  listEngines,
  type EngineSettings,
  type LocatedEngine,
} from "../discovery/engines.ts";
import { surroundingsOf } from "../commands/engine-options.ts";
import { serverSettings } from "../commands/server-options.ts";
import { choicesOf, listOptionPaths } from "../options/option-paths.ts";
import { stateOfInputs, type PreparedRecipe } from "../prepare.ts";
import type { Shell } from "../shell.ts";
import type { EngineFit, OptionValue, PlanReport } from "./report.ts";

/** @throws `unknown-engine`, and what the recipe's `plan` throws, such as errors of data that it reads */
export async function makePlanReport(
  prepared: PreparedRecipe,
  seed: number,
  shell: Shell,
): Promise<PlanReport> {
  const { recipe } = prepared.located;
  const plan = await recipe.plan(prepared.options, randomOfRun(seed));
  return {
    recipe: recipe.id,
    title: recipe.title,
    paper: recipe.paper,
    preset: prepared.presetName,
    engine: prepared.engine,
    seed,
    plan,
    needs: prepared.needs,
    engines: await engineFits(prepared, shell),
    inputs: stateOfInputs(plan, shell.workingFolder),
    departures: prepared.preset.departures ?? [],
    options: optionValues(prepared),
  };
}

/** The engines of this version, and the chosen one where it is none of them. */
async function engineFits(prepared: PreparedRecipe, shell: Shell): Promise<EngineFit[]> {
  const { place } = shell;
  const { needs, located } = prepared;
  const surroundings = surroundingsOf(shell);
  const settings = { ...serverSettings({}, shell), ...surroundings };
  const fits: EngineFit[] = [];
  // One after another: an engine that has to be started to be asked takes all cores.
  for (const listed of await listEngines(place, surroundings)) {
    fits.push(
      listed.kind === "loaded"
        ? await engineFit(listed.located, needs, settings)
        : unknownFit(listed.id, listed.problem),
    );
  }
  if (isPlanned(prepared.engine, located.recipe.presets, place))
    return [...fits, { ...unknownFit(prepared.engine, "not in this version"), isPlanned: true }];
  const chosen = await chooseEngine(prepared, shell);
  return fits.some(({ id }) => id === chosen.id) ? fits : [...fits, await engineFit(chosen, needs, settings)];
}

async function engineFit(
  located: LocatedEngine,
  needs: readonly Capability[],
  settings: EngineSettings,
): Promise<EngineFit> {
  const { id, setUpCommand } = located;
  try {
    const missing = missingCapabilities(await capabilitiesOf(located, settings), needs);
    return { id, missing, problem: null, setUpCommand, isPlanned: false };
  } catch (thrown) {
    return unknownFit(id, messageOf(thrown));
  }
}

function unknownFit(id: string, problem: string): EngineFit {
  return { id, missing: [], problem, setUpCommand: null, isPlanned: false };
}

function optionValues(prepared: PreparedRecipe): OptionValue[] {
  const { recipe } = prepared.located;
  const unused = recipe.unusedOptions?.(prepared.options) ?? [];
  return listOptionPaths(recipe.options).map(({ name, unit, description, schema }) => ({
    name,
    value: valueAt(prepared.options, name),
    source: sourceOf(name, prepared),
    unit,
    choices: choicesOf(schema),
    isUsed: !unused.some((one) => name === one || name.startsWith(`${one}.`)),
    description,
  }));
}

function sourceOf(name: string, prepared: PreparedRecipe): OptionValue["source"] {
  if (valueAt(prepared.overrides, name) !== undefined) return "set";
  return valueAt(prepared.preset.options, name) === undefined ? "default" : "preset";
}

function valueAt(values: JsonObject | object, name: string): unknown {
  let value: unknown = values;
  for (const key of name.split(".")) {
    if (typeof value !== "object" || value === null) return undefined;
    value = new Map(Object.entries(value)).get(key);
  }
  return value;
}

/** Refuses where an input is missing, naming all that are. @throws `inputs-missing` */
export function requireInputs(report: Pick<PlanReport, "inputs">): void {
  const inputs = report.inputs.filter(({ state }) => state === "missing");
  const missing = inputs.map(({ input }) => input);
  if (missing.length === 0) return;
  throw new SparError({
    code: "inputs-missing",
    boundary: "command",
    message: `expected input files that are not there: ${missing.join(", ")}`,
    hint: [
      "check the paths; they are relative to the folder that you are in",
      ...inputs.flatMap(({ input, hint }) => (hint === null ? [] : [`${input}: ${hint}`])),
    ].join("; "),
  });
}
