/**
 * Whether two Python values are equal as Python's `==` has it: `1 == 1.0 == True`, a list is no tuple, sets and dicts
 * have no order, nan equals nothing. One departure: two OrderedDicts are compared without order too. Computed from values alone, so nothing of a program runs. Knows no interpreter.
 */
import { membersOf, typedValue, type PythonValue, type TypedValue } from "./python-value.ts";

/** `incomparable`: why `==` would be a matter of code, or could not end. */
export type Comparison = "equal" | "different" | { readonly incomparable: string };

export function compareValues(left: PythonValue, right: PythonValue): Comparison {
  const incomparable = incomparableIn(left) ?? incomparableIn(right);
  if (incomparable !== null) return { incomparable };
  // Inside a container Python looks at identity first, and math.nan is one object.
  if (isNan(left, true) || isNan(right, true) || holdsFreshNan(left) || holdsFreshNan(right))
    return "different";
  return equalityKey(left) === equalityKey(right) ? "equal" : "different";
}

/** Why a value has no equality of its own; null where it has. */
export function incomparableIn(value: PythonValue): string | null {
  const typed = typedValue(value);
  if (typed === null) return null;
  const [type, name] = typed;
  if (type === "opaque") return `${String(name)} is not plain data`;
  if (type === "cycle") return "a value that holds itself has no end";
  for (const member of membersOf(typed)) {
    const found = incomparableIn(member);
    if (found !== null) return found;
  }
  return null;
}

function holdsFreshNan(value: PythonValue): boolean {
  const typed = typedValue(value);
  return typed !== null && (isNan(value, false) || membersOf(typed).some(holdsFreshNan));
}

function isNan(value: PythonValue, isConstantToo: boolean): boolean {
  const [type, text] = typedValue(value) ?? [];
  if (type === "Decimal") return /nan/iu.test(String(text));
  if (type === "complex") return (typedValue(value) ?? []).some((part) => part === "nan");
  return type === "float" && (text === "nan" || (isConstantToo && text === "math.nan"));
}

/** Text that is the same exactly for equal values. */
function equalityKey(value: PythonValue): string {
  if (value === null) return "None";
  if (typeof value === "string") return JSON.stringify(value);
  const number = numberKey(value);
  if (number !== null) return number;
  const [type, ...parts] = value as TypedValue;
  const items = (): string[] => (parts as readonly PythonValue[]).map(equalityKey);
  switch (type) {
    case "bytes":
    case "bytearray":
      return `b'${String(parts[0])}'`;
    case "list":
      return `[${items().join()}]`;
    case "deque":
      return `deque[${items().join()}]`;
    case "tuple":
      return `(${items().join()})`;
    case "namedtuple":
      return equalityKey(parts[1] as PythonValue);
    case "range":
      return rangeKey(parts as readonly PythonValue[]);
    case "set":
    case "frozenset":
      return `{${items().toSorted().join()}}`;
    case "dict":
    case "OrderedDict":
    case "defaultdict":
    case "Counter":
      return mappingKey(type, parts as readonly (readonly PythonValue[])[]);
    default:
      return `${type} ${JSON.stringify(parts)}`;
  }
}

/** A Counter counts what it does not hold as zero. */
function mappingKey(type: string, entries: readonly (readonly PythonValue[])[]): string {
  const texts = entries
    .map(([key = null, value = null]) => [equalityKey(key), equalityKey(value)] as const)
    .filter(([, value]) => type !== "Counter" || value !== "0/1")
    .map(([key, value]) => `${key}:${value}`);
  return `{:${texts.toSorted().join()}}`;
}

function rangeKey(parts: readonly PythonValue[]): string {
  const [start = 0n, stop = 0n, step = 1n] = parts.map((part) => integerOf(part) ?? 0n);
  const span = step > 0n ? stop - start : start - stop;
  const size = step > 0n ? step : -step;
  const length = span <= 0n ? 0n : (span + size - 1n) / size;
  if (length === 0n) return "range 0";
  return `range ${length.toString(16)} ${start.toString(16)} ${length === 1n ? "" : step.toString(16)}`;
}

function integerOf(value: PythonValue): bigint | null {
  if (typeof value === "number") return BigInt(value);
  if (typeof value === "boolean") return value ? 1n : 0n;
  const [type, text] = typedValue(value) ?? [];
  return type === "int" ? hexadecimal(String(text)) : null;
}

function hexadecimal(text: string): bigint {
  return text.startsWith("-") ? -BigInt(text.slice(1)) : BigInt(text);
}

/** Numbers of all types are equal where they are the same rational number; null for what is no number. */
function numberKey(value: PythonValue): string | null {
  const integer = integerOf(value);
  if (integer !== null) return rational(integer, 1n);
  const [type, first, second] = typedValue(value) ?? [];
  switch (type) {
    case "float":
      return floatKey(String(first));
    case "complex":
      return floatKey(String(second)) === "0/1"
        ? floatKey(String(first))
        : `${floatKey(String(first))}+${floatKey(String(second))}j`;
    case "Fraction": {
      const [numerator = "0", denominator = "1"] = String(first).split("/");
      return rational(BigInt(numerator), BigInt(denominator));
    }
    case "Decimal":
      return decimalKey(String(first));
    default:
      return null;
  }
}

function floatKey(text: string): string {
  if (text === "math.nan" || text === "nan") return text;
  if (text.endsWith("inf")) return text;
  const number = Number(text);
  if (number === 0) return "0/1";
  // A float is an integer times a power of two.
  let mantissa = number;
  let exponent = 0n;
  while (!Number.isInteger(mantissa)) {
    mantissa *= 2;
    exponent += 1n;
  }
  return reduced(BigInt(mantissa), 1n << exponent);
}

/** Beyond this many digits decimals are compared among themselves alone: their integers would take seconds. */
const longestDecimal = 10_000;

function decimalKey(text: string): string {
  if (/^-?inf/iu.test(text)) return text.startsWith("-") ? "-inf" : "inf";
  const read = /^(-?)(\d*)\.?(\d*)(?:E([+-]?\d+))?$/iu.exec(text);
  if (read === null) return text;
  const [, sign = "", whole = "", part = "", power = "0"] = read;
  const digits = `${whole}${part}`.replace(/^0+/u, "");
  const significant = withoutEndOf(digits, "0");
  if (significant === "") return "0/1";
  const exponent = BigInt(power) - BigInt(part.length) + BigInt(digits.length - significant.length);
  const size = exponent < 0n ? -exponent : exponent;
  if (significant.length > longestDecimal || size > BigInt(longestDecimal))
    return `${sign}${significant}E${exponent}`;
  const integer = BigInt(`${sign}${significant}`);
  return exponent >= 0n ? rational(integer * 10n ** exponent, 1n) : reduced(integer, 10n ** -exponent);
}

/** By hand: a pattern for it takes the square of the length. */
function withoutEndOf(text: string, character: string): string {
  let end = text.length;
  while (end > 0 && text[end - 1] === character) end--;
  return text.slice(0, end);
}

/** In hexadecimal, which takes no time; a million digits in decimal take a second. */
function rational(numerator: bigint, denominator: bigint): string {
  return `${numerator.toString(16)}/${denominator.toString(16)}`;
}

function reduced(numerator: bigint, denominator: bigint): string {
  let [large, small] = [numerator < 0n ? -numerator : numerator, denominator];
  while (small !== 0n) [large, small] = [small, large % small];
  return rational(numerator / large, denominator / large);
}
