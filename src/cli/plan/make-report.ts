/** Finds out what a run would do: the recipe's own plan, who can run it, what is missing. */
import { messageOf, SparError, type JsonObject } from "../../base/index.ts";
import { missingCapabilities, type Capability } from "../../contract/index.ts";
import { capabilitiesOf, findEngine, listEngineIds } from "../discovery/engines.ts";
import { looksLikePath } from "../discovery/load-module.ts";
import { listOptionPaths } from "../options/option-paths.ts";
import { stateOfInputs, type PreparedRecipe } from "../prepare.ts";
import type { Shell } from "../shell.ts";
import type { EngineFit, OptionValue, PlanReport } from "./report.ts";

/** @throws what the recipe's `plan` throws, such as errors of data that it reads */
export async function makePlanReport(prepared: PreparedRecipe, shell: Shell): Promise<PlanReport> {
  const { recipe } = prepared.located;
  const plan = await recipe.plan(prepared.options);
  return {
    recipe: recipe.id,
    title: recipe.title,
    paper: recipe.paper,
    preset: prepared.presetName,
    engine: prepared.engine,
    plan,
    needs: prepared.needs,
    engines: await engineFits(prepared, shell),
    inputs: stateOfInputs(plan.inputs, shell.workingFolder),
    departures: prepared.preset.departures ?? [],
    options: optionValues(prepared),
  };
}

async function engineFits(prepared: PreparedRecipe, shell: Shell): Promise<EngineFit[]> {
  const known = listEngineIds(shell.place);
  const fits: EngineFit[] = [];
  // One after another: an engine that has to be started to be asked takes all cores.
  for (const id of new Set([...known, prepared.engine])) {
    const isHere = known.includes(id) || looksLikePath(id);
    fits.push(
      isHere
        ? await engineFit(id, prepared.needs, shell)
        : { id, missing: [], problem: "not in this version" },
    );
  }
  return fits;
}

async function engineFit(id: string, needs: readonly Capability[], shell: Shell): Promise<EngineFit> {
  try {
    const located = await findEngine({ typed: id, place: shell.place, workingFolder: shell.workingFolder });
    return { id, missing: missingCapabilities(await capabilitiesOf(located), needs), problem: null };
  } catch (thrown) {
    return { id, missing: [], problem: messageOf(thrown) };
  }
}

function optionValues(prepared: PreparedRecipe): OptionValue[] {
  return listOptionPaths(prepared.located.recipe.options).map(({ name, unit, description }) => ({
    name,
    value: valueAt(prepared.options, name),
    source: sourceOf(name, prepared),
    unit,
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
  const missing = report.inputs.filter(({ state }) => state === "missing").map(({ input }) => input);
  if (missing.length === 0) return;
  throw new SparError({
    code: "inputs-missing",
    boundary: "command",
    message: `expected input files that are not there: ${missing.join(", ")}`,
    hint: "check the paths; they are relative to the folder that you are in",
  });
}
