/**
 * Parses `--set key=value`: values are read as the option's type wants them, wrong ones are refused
 * with what was expected and what came. Whether options fit each other is the library's to say.
 */
import { SparError, suggestName, type JsonObject, type JsonValue } from "../../base/index.ts";
import type { OptionsSchema } from "../../train/index.ts";
import { listOptionPaths, typeOf, type OptionPath } from "./option-paths.ts";

/** How messages call what is set, and whose it is. */
export interface SetWords {
  readonly flag: string;
  readonly owner: string;
}

/**
 * The overrides as an object, dotted names nested.
 *
 * @throws `invalid-option`, `unknown-option`
 */
export function parseSetOptions(
  assignments: readonly string[],
  schema: OptionsSchema,
  words: SetWords = { flag: "--set", owner: "the recipe" },
): JsonObject {
  const paths = listOptionPaths(schema);
  const values = new Map<string, JsonValue>();
  for (const assignment of assignments) {
    const { name, text } = splitAssignment(assignment, words);
    const path = findPath(name, paths, words);
    if (values.has(name)) {
      throw invalidOption(
        `${words.flag} ${name} was given twice`,
        `give it once; the second value is ${text}`,
      );
    }
    values.set(name, parseValue(path, text));
  }
  return nest(values);
}

function splitAssignment(
  assignment: string,
  { flag }: SetWords,
): { readonly name: string; readonly text: string } {
  const equals = assignment.indexOf("=");
  if (equals < 1) {
    throw invalidOption(
      `${flag} expects key=value, got "${assignment}"`,
      `write it like ${flag} temperature=0.7`,
    );
  }
  return { name: assignment.slice(0, equals).trim(), text: assignment.slice(equals + 1) };
}

function findPath(name: string, paths: readonly OptionPath[], { owner }: SetWords): OptionPath {
  const path = paths.find((known) => known.name === name);
  if (path !== undefined) return path;
  const names = paths.map((known) => known.name);
  const members = names.filter((known) => known.startsWith(`${name}.`));
  throw new SparError({
    code: "unknown-option",
    boundary: "command",
    message: members.length > 0 ? `"${name}" is a group of options` : `${owner} has no option "${name}"`,
    hint: members.length > 0 ? `set its members: ${members.join(", ")}` : suggestName(name, names),
  });
}

function parseValue(path: OptionPath, text: string): JsonValue {
  for (const candidate of candidatesOf(text)) {
    if (path.schema.safeParse(candidate).success) return candidate;
  }
  throw invalidOption(
    `option ${path.name}: expected ${typeOf(path.schema)}, got "${text}"`,
    hintFor(path, text),
  );
}

/** What a text can mean: itself, or the JSON that it spells. */
function candidatesOf(text: string): JsonValue[] {
  const trimmed = text.trim();
  const candidates: JsonValue[] = [text];
  if (trimmed !== "" && Number.isFinite(Number(trimmed))) candidates.push(Number(trimmed));
  try {
    candidates.push(JSON.parse(trimmed) as JsonValue);
  } catch {
    // Not JSON: then it is text or a number, or nothing that the option knows.
  }
  return candidates;
}

const numberWithUnit = /^\s*[-+]?[\d.,]+(e[-+]?\d+)?\s*[a-z%]+\s*$/iu;

function hintFor(path: OptionPath, text: string): string {
  const unit = path.unit === null ? "" : `the value is in ${path.unit}: `;
  if (numberWithUnit.test(text)) return `${unit}give a plain number, without a unit`;
  if (path.unit !== null) return `${unit}give ${typeOf(path.schema)}`;
  return path.description === "" ? "spar plan RECIPE lists the options" : `${path.name}: ${path.description}`;
}

function nest(values: ReadonlyMap<string, JsonValue>): JsonObject {
  const root: Record<string, JsonValue> = {};
  for (const [name, value] of values) {
    const keys = name.split(".");
    const last = keys.pop() ?? name;
    let group: Record<string, JsonValue> = root;
    for (const key of keys) {
      const inner: Record<string, JsonValue> = { ...(group[key] as JsonObject | undefined) };
      group[key] = inner;
      group = inner;
    }
    group[last] = value;
  }
  return root;
}

function invalidOption(message: string, hint: string): SparError {
  return new SparError({ code: "invalid-option", boundary: "command", message, hint });
}
