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

const mappings: ReadonlySet<string> = new Set<string>(mappingTypes);
const containers: ReadonlySet<string> = new Set<string>([...sequenceTypes, ...setTypes]);

/** As values.py writes them: 100 containers in each other, of which a namedtuple is two. */
const deepest = 202;
const decimalFloat = /^(?:math\.nan|nan|-?inf|-?\d{1,20}(?:\.\d{1,20})?(?:e[+-]\d{1,3})?)$/u;
const isFloat = (text: string): boolean => decimalFloat.test(text);
const isHexadecimal = (text: string): boolean => text.length % 2 === 0 && /^[\da-f]*$/u.test(text);

/** How many texts there are, and what each looks like. */
const textForms: Readonly<Record<string, readonly [count: number, isForm: (text: string) => boolean]>> = {
  int: [1, (text) => /^-?0x[1-9a-f][\da-f]*$/u.test(text)],
  float: [1, isFloat],
  complex: [2, isFloat],
  bytes: [1, isHexadecimal],
  bytearray: [1, isHexadecimal],
  Decimal: [1, (text) => /^-?(?:\d+(?:\.\d+)?(?:E[+-]\d{1,20})?|Infinity|s?NaN\d*)$/u.test(text)],
  // Python writes no integer of more than 4300 digits as a decimal.
  Fraction: [1, (text) => text.length <= 8610 && /^-?\d+\/[1-9]\d*$/u.test(text)],
  opaque: [1, () => true],
  Ellipsis: [0, () => true],
  NotImplemented: [0, () => true],
};

/**
 * Whether what an interpreter said is a value, in every part: a program may have changed its interpreter, and whoever computes
 * with a value relies on its form.
 */
export function isPythonValue(json: JsonValue | undefined): json is PythonValue {
  return isValue(json, deepest);
}

function isValue(json: JsonValue | undefined, depth: number): boolean {
  if (json === null || typeof json === "boolean" || typeof json === "string") return true;
  if (typeof json === "number") return Number.isSafeInteger(json);
  if (!isList(json) || depth === 0) return false;
  const [type, ...parts] = json;
  if (typeof type !== "string") return false;
  const isMember = (part: JsonValue): boolean => isValue(part, depth - 1);
  if (mappings.has(type))
    return parts.every((entry) => isList(entry) && entry.length === 2 && entry.every(isMember));
  if (type === "namedtuple") {
    const [name, tuple] = parts;
    return (
      parts.length === 2 &&
      typeof name === "string" &&
      isList(tuple) &&
      tuple[0] === "tuple" &&
      isMember(tuple)
    );
  }
  if (type === "range") return isRange(parts);
  if (containers.has(type)) return parts.every(isMember);
  if (type === "cycle") return parts.length === 1 && Number.isSafeInteger(parts[0]);
  const [count, isForm] = Object.hasOwn(textForms, type) ? (textForms[type] ?? []) : [];
  return parts.length === count && parts.every((part) => typeof part === "string" && isForm?.(part) === true);
}

/** A step may not be zero. */
function isRange(parts: readonly JsonValue[]): boolean {
  const [, , step] = parts;
  return (
    parts.length === 3 &&
    parts.every(
      (part) =>
        isValue(part, 1) && (isList(part) ? part[0] === "int" : typeof part !== "string" && part !== null),
    ) &&
    step !== 0 &&
    step !== false
  );
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
