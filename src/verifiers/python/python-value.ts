/**
 * A Python value as plain JSON: exact, typed, bounded, the same text for the same value whatever the hash seed was. It
 * comes from `runner.py` and is what executions are compared by. Knows no interpreter.
 */
import type { JsonValue } from "../../base/index.ts";

/**
 * `null` is None; booleans and text are themselves; a JSON number is an int of up to 53 bits. Everything else is a list
 * that begins with its type: `["float", "0.1"]`, `["tuple", 1, 2]`, `["dict", [1, "a"]]`.
 *
 * @remarks Members of sets are sorted by their JSON, entries of dicts stand in their order. Text may hold lone surrogates.
 */
export type PythonValue = null | boolean | number | string | TypedValue;
export type TypedValue = readonly [type: PythonType, ...parts: (PythonValue | readonly PythonValue[])[]];

const scalarTypes = ["int", "float", "complex", "bytes", "bytearray", "Decimal", "Fraction"] as const;
const sequenceTypes = ["list", "tuple", "deque", "namedtuple", "range"] as const;
const setTypes = ["set", "frozenset"] as const;
const mappingTypes = ["dict", "OrderedDict", "defaultdict", "Counter"] as const;
const oddTypes = ["Ellipsis", "NotImplemented", "cycle", "opaque"] as const;

/**
 * - `int`: hexadecimal, where it has more than 53 bits. `float`: the shortest decimal that is this number; `math.nan` is
 *   the one object of that name, `nan` any other.
 * - `complex`: two floats. `bytes`, `bytearray`: hexadecimal. `Decimal`, `Fraction`: as text.
 * - `namedtuple`: its name, then a tuple. `range`: start, stop, step. `deque`: its members.
 * - `cycle`: how many containers up the same object is. `opaque`: the name of a type whose equality is a matter of
 *   code (instances of classes, functions, generators, modules) or that is nested too deeply.
 */
export type PythonType =
  | (typeof scalarTypes)[number]
  | (typeof sequenceTypes)[number]
  | (typeof setTypes)[number]
  | (typeof mappingTypes)[number]
  | (typeof oddTypes)[number];

const types: ReadonlySet<string> = new Set<string>([
  ...scalarTypes,
  ...sequenceTypes,
  ...setTypes,
  ...mappingTypes,
  ...oddTypes,
]);
const mappings: ReadonlySet<string> = new Set<string>(mappingTypes);
const containers: ReadonlySet<string> = new Set<string>([...sequenceTypes, ...setTypes]);
const textParts: ReadonlySet<string> = new Set<string>([...scalarTypes, "opaque"]);

/** Whether what an interpreter said has the form of a value; a program may have changed its interpreter. */
export function isPythonValue(json: JsonValue | undefined): json is PythonValue {
  if (json === null || typeof json === "boolean" || typeof json === "string") return true;
  if (typeof json === "number") return Number.isSafeInteger(json);
  if (!isList(json)) return false;
  const [type, ...parts] = json;
  if (typeof type !== "string" || !types.has(type)) return false;
  if (mappings.has(type))
    return parts.every((entry) => isList(entry) && entry.length === 2 && entry.every(isPythonValue));
  if (containers.has(type)) return parts.every(isPythonValue);
  if (type === "cycle") return parts.length === 1 && Number.isSafeInteger(parts[0]);
  return textParts.has(type) ? parts.every((part) => typeof part === "string") : parts.length === 0;
}

function isList(json: JsonValue | undefined): json is readonly JsonValue[] {
  return Array.isArray(json);
}

/** The parts of a typed value that are values themselves, entries of mappings flattened. */
export function membersOf([type, ...parts]: TypedValue): readonly PythonValue[] {
  if (mappings.has(type)) return parts.flatMap((entry) => entry as readonly PythonValue[]);
  return containers.has(type) ? (parts as readonly PythonValue[]) : [];
}

/** A typed value, or null for None, booleans, text and small ints. */
export function typedValue(value: PythonValue): TypedValue | null {
  return typeof value === "object" ? value : null;
}
