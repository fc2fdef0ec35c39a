/**
 * The options of a recipe as a flat list of dotted names with type, unit and description, read from
 * its schema. Used to parse `--set`, to suggest names and to print the table of `spar plan`.
 */
import { z } from "zod";
import type { OptionsSchema } from "../../train/index.ts";

export interface OptionPath {
  /** `warmUp.learningRate`. */
  readonly name: string;
  readonly schema: z.ZodType;
  readonly description: string;
  readonly unit: string | null;
}

/** Every option, groups opened into their members. */
export function listOptionPaths(schema: OptionsSchema): OptionPath[] {
  return membersOf(schema, "");
}

function membersOf(schema: z.ZodObject, prefix: string): OptionPath[] {
  return Object.entries(schema.shape).flatMap(([key, member]) => {
    if (!(member instanceof z.ZodType)) return [];
    const name = `${prefix}${key}`;
    const group = unwrap(member);
    if (group instanceof z.ZodObject) return membersOf(group, `${name}.`);
    return [{ name, schema: member, description: descriptionOf(member), unit: unitOf(key) }];
  });
}

/** What lies inside defaults and the like. */
function unwrap(schema: z.ZodType): z.ZodType {
  let inner: unknown = schema;
  while (
    inner instanceof z.ZodDefault ||
    inner instanceof z.ZodPrefault ||
    inner instanceof z.ZodOptional ||
    inner instanceof z.ZodNullable ||
    inner instanceof z.ZodReadonly
  ) {
    inner = inner.unwrap();
  }
  return inner instanceof z.ZodType ? inner : schema;
}

function descriptionOf(schema: z.ZodType): string {
  return schema.description ?? unwrap(schema).description ?? "";
}

const unitsBySuffix: readonly (readonly [RegExp, string])[] = [
  [/Ms$/u, "milliseconds"],
  [/Seconds$/u, "seconds"],
  [/Bytes$/u, "bytes"],
  [/Nats$/u, "nats"],
  [/Tokens$/u, "tokens"],
  [/Characters$/u, "characters"],
  [/Updates$|updateCount$/u, "updates"],
  [/Steps$|stepCount$/u, "steps"],
  [/^epochs$|Epochs$|epochCount$|^epochsPer/u, "epochs"],
  [/^(?:maxR|r)owsPer|rowCount$/u, "rows"],
  [/^(?:example|heldOut|sample)Count$/u, "examples"],
  [/^iterationCount$/u, "iterations"],
  [/^pairsPer|pairCount$/u, "pairs"],
  [/Share$/u, "share of 1"],
];

/** The unit that the name of an option carries, where it carries one. */
export function unitOf(name: string): string | null {
  const last = name.split(".").at(-1) ?? name;
  return unitsBySuffix.find(([suffix]) => suffix.test(last))?.[1] ?? null;
}

/** The type of an option in words: `a whole number above 0`, `one of "a", "b"`. */
export function typeOf(schema: z.ZodType): string {
  return wordsOf(toJsonSchema(schema));
}

/** What an option, or each member of a list, can be where that is one of a few, as JSON; null elsewhere. */
export function choicesOf(schema: z.ZodType): string[] | null {
  return fewValues(toJsonSchema(schema));
}

function fewValues(schema: JsonSchema): string[] | null {
  if (schema.enum !== undefined) return schema.enum.map((value) => JSON.stringify(value));
  if (schema.const !== undefined) return [JSON.stringify(schema.const)];
  if (schema.items !== undefined && isSchema(schema.items)) return fewValues(schema.items);
  const choices = schema.anyOf ?? schema.oneOf;
  if (choices === undefined) return null;
  const values = choices.map((choice) => (isSchema(choice) ? fewValues(choice) : null));
  return values.includes(null) ? null : values.flatMap((some) => some ?? []);
}

function isSchema(value: unknown): value is JsonSchema {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

type JsonSchema = z.core.JSONSchema.JSONSchema;

function toJsonSchema(schema: z.ZodType): JsonSchema {
  return z.toJSONSchema(schema, { io: "input", unrepresentable: "any" });
}

function wordsOf(schema: JsonSchema): string {
  if (schema.enum !== undefined) return oneOf(schema.enum);
  if (schema.const !== undefined) return JSON.stringify(schema.const);
  const choices = schema.anyOf ?? schema.oneOf;
  if (choices !== undefined)
    return choices.map((choice) => (typeof choice === "object" ? wordsOf(choice) : "")).join(" or ");
  switch (schema.type) {
    case "integer":
      return `a whole number${rangeWords(schema)}`;
    case "number":
      return `a number${rangeWords(schema)}`;
    case "boolean":
      return "true or false";
    case "string":
      return "text";
    case "array":
      return listWords(schema);
    default:
      return "JSON";
  }
}

/** `a list of numbers above 0 in JSON, such as [1, 2]`. */
function listWords(schema: JsonSchema): string {
  const { items, minItems = 0 } = schema;
  const inner = typeof items === "object" && !Array.isArray(items) ? items : {};
  const bound = minItems === 0 ? "" : ` and at least ${minItems} long`;
  return `a list of ${memberWords(inner)} in JSON${bound}, such as [${exampleMembers(inner)}]`;
}

function memberWords(schema: JsonSchema): string {
  if (schema.enum !== undefined) return schema.enum.map((value) => JSON.stringify(value)).join(", ");
  switch (schema.type) {
    case "integer":
      return `whole numbers${rangeWords(schema)}`;
    case "number":
      return `numbers${rangeWords(schema)}`;
    case "string":
      return "texts";
    default:
      return "values";
  }
}

function exampleMembers(schema: JsonSchema): string {
  if (schema.enum !== undefined) return JSON.stringify(schema.enum[0]);
  return schema.type === "string" ? '"a", "b"' : "1, 2";
}

function rangeWords(schema: JsonSchema): string {
  const bounds = [
    schema.minimum !== undefined && schema.minimum > Number.MIN_SAFE_INTEGER
      ? `at least ${schema.minimum}`
      : "",
    schema.exclusiveMinimum === undefined ? "" : `above ${schema.exclusiveMinimum}`,
    schema.maximum !== undefined && schema.maximum < Number.MAX_SAFE_INTEGER
      ? `at most ${schema.maximum}`
      : "",
    schema.exclusiveMaximum === undefined ? "" : `below ${schema.exclusiveMaximum}`,
  ].filter((bound) => bound !== "");
  return bounds.length === 0 ? "" : ` ${bounds.join(", ")}`;
}

function oneOf(values: readonly unknown[]): string {
  return `one of ${values.map((value) => JSON.stringify(value)).join(", ")}`;
}
