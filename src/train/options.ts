/**
 * The options of a run: defaults of the schema, then the preset, then what was overridden; checked as
 * a whole before anything starts. Whoever starts, resumes or plans a run calls it. Knows no command
 * line: values arrive as JSON.
 */
import { z } from "zod";
import { parseJson, suggestName, type JsonObject, type JsonValue } from "../base/index.ts";
import type { OptionsSchema, Recipe } from "./recipe.ts";
import { trainError } from "./train-errors.ts";

/**
 * Resolves the options of a preset; `overrides` are nested like the schema.
 *
 * @throws `unknown-preset`, `unknown-option`, `invalid-option`
 */
export function resolveOptions<Schema extends OptionsSchema>(
  recipe: Recipe<Schema>,
  presetName: string,
  overrides: JsonObject = {},
): z.output<Schema> {
  const preset = recipe.presets[presetName];
  if (preset === undefined) {
    throw trainError("unknown-preset", `recipe ${recipe.id} has no preset "${presetName}"`, {
      hint: suggestName(presetName, Object.keys(recipe.presets)),
    });
  }
  return checkOptions(recipe, mergeOptions(toJsonObject(preset.options), overrides));
}

/**
 * Checks options against the schema and the recipe's own rules.
 *
 * @throws `unknown-option`, `invalid-option`
 */
export function checkOptions<Schema extends OptionsSchema>(
  recipe: Recipe<Schema>,
  values: JsonObject,
): z.output<Schema> {
  refuseUnknown(recipe.options, values, "");
  const parsed = recipe.options.safeParse(values, { reportInput: true });
  if (!parsed.success) throw invalidOptions(parsed.error);
  const problems = recipe.check?.(parsed.data) ?? [];
  if (problems.length > 0)
    throw trainError("invalid-option", problems.join("; "), {
      hint: `spar plan ${recipe.id} lists the options`,
    });
  return parsed.data;
}

/** Options as the JSON that a run folder keeps. */
export function optionsToJson(options: object): JsonObject {
  return toJsonObject(options);
}

/** Names of the options that differ, dotted, with both values: "warmUp.rows: 64, now 32". */
export function differingOptions(before: JsonObject, now: JsonObject, prefix = ""): string[] {
  const keys = [...new Set([...Object.keys(before), ...Object.keys(now)])].toSorted();
  return keys.flatMap((key) => {
    const [old, current] = [before[key], now[key]];
    if (isGroup(old) && isGroup(current)) return differingOptions(old, current, `${prefix}${key}.`);
    if (JSON.stringify(old) === JSON.stringify(current)) return [];
    return [
      `${prefix}${key}: ${JSON.stringify(old) ?? "not there"}, now ${JSON.stringify(current) ?? "not there"}`,
    ];
  });
}

function refuseUnknown(schema: z.ZodObject, values: JsonObject, prefix: string): void {
  const known = Object.keys(schema.shape);
  for (const [key, value] of Object.entries(values)) {
    const member: unknown = schema.shape[key];
    if (member === undefined) {
      const names = known.map((name) => `${prefix}${name}`);
      throw trainError("unknown-option", `the recipe has no option "${prefix}${key}"`, {
        hint: suggestName(`${prefix}${key}`, names),
      });
    }
    const inner = groupOf(member);
    if (inner !== null && isGroup(value)) refuseUnknown(inner, value, `${prefix}${key}.`);
  }
}

/** The schema of a group of options inside defaults and the like. */
function groupOf(member: unknown): z.ZodObject | null {
  if (member instanceof z.ZodObject) return member;
  const isWrapper =
    member instanceof z.ZodDefault || member instanceof z.ZodPrefault || member instanceof z.ZodOptional;
  return isWrapper ? groupOf(member.unwrap()) : null;
}

function invalidOptions(error: z.ZodError): Error {
  const lines = error.issues.map((issue) => {
    const came = issue.input === undefined ? "" : `, got ${JSON.stringify(issue.input)}`;
    return `option ${issue.path.join(".")}: ${issue.message}${came}`;
  });
  return trainError("invalid-option", lines.join("; "), {
    hint: "spar plan RECIPE lists the options with their types",
  });
}

/** Values over others, member by member in groups; lists and everything else are replaced whole. */
export function mergeOptions(base: JsonObject, over: JsonObject): JsonObject {
  const merged: Record<string, JsonValue> = { ...base };
  for (const [key, value] of Object.entries(over)) {
    const below = merged[key];
    merged[key] = isGroup(below) && isGroup(value) ? mergeOptions(below, value) : value;
  }
  return merged;
}

function isGroup(value: JsonValue | undefined): value is JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function toJsonObject(value: object): JsonObject {
  // An object stays one.
  return parseJson(JSON.stringify(value)) as JsonObject;
}
