/**
 * A Python value as the text of an expression that makes an equal one: what a solver is shown, and could answer. The same
 * text for the same value, whatever the order of hashes was.
 */
import type { PythonValue } from "spar/verifiers/python";

/** Null where no expression of plain data makes it: functions, objects, what holds itself. */
export function literalOf(value: PythonValue): string | null {
  if (value === null) return "None";
  if (typeof value === "boolean") return value ? "True" : "False";
  if (typeof value === "number") return String(value);
  if (typeof value === "string") return quoted(value);
  const [type, ...parts] = value;
  const items = parts as readonly PythonValue[];
  switch (type) {
    case "int":
      return integer(String(parts[0]));
    case "float":
      return float(String(parts[0]));
    case "complex":
      return `complex(${float(String(parts[0]))}, ${float(String(parts[1]))})`;
    case "bytes":
      return bytes(String(parts[0]));
    case "bytearray":
      return `bytearray(${bytes(String(parts[0]))})`;
    case "Decimal":
      return `Decimal(${quoted(String(parts[0]))})`;
    case "Fraction":
      return `Fraction(${quoted(String(parts[0]))})`;
    case "list":
      return listed(items, "[", "]");
    case "tuple":
      return items.length === 1 ? listed(items, "(", ",)") : listed(items, "(", ")");
    // Equal to the tuple of its members.
    case "namedtuple":
      return literalOf(items[1] ?? null);
    case "deque":
      return listed(items, "deque([", "])");
    case "range":
      return listed(items, "range(", ")");
    case "set":
      return items.length === 0 ? "set()" : listed(items, "{", "}");
    case "frozenset":
      return listed(items, "frozenset([", "])");
    case "dict":
    // Equal to the dict with its entries; what makes a missing one cannot be written down.
    case "defaultdict":
      return entries(parts, "{", "}");
    case "OrderedDict":
    case "Counter":
      return entries(parts, `${type}({`, "})");
    case "Ellipsis":
      return "...";
    case "NotImplemented":
    case "cycle":
    case "opaque":
      return null;
  }
}

function listed(items: readonly PythonValue[], open: string, close: string): string | null {
  const texts = items.map(literalOf);
  return texts.includes(null) ? null : `${open}${texts.join(", ")}${close}`;
}

function entries(
  parts: readonly (PythonValue | readonly PythonValue[])[],
  open: string,
  close: string,
): string | null {
  const texts = parts.map((entry) => (entry as readonly PythonValue[]).map(literalOf));
  if (texts.some((pair) => pair.includes(null))) return null;
  return `${open}${texts.map((pair) => pair.join(": ")).join(", ")}${close}`;
}

function integer(hexadecimal: string): string {
  return hexadecimal.startsWith("-") ? `-${BigInt(hexadecimal.slice(1))}` : BigInt(hexadecimal).toString();
}

function float(text: string): string {
  if (text === "math.nan" || text === "nan") return "float('nan')";
  return text.endsWith("inf") ? `float('${text}')` : text;
}

/** Bytes that are printable ASCII as they are. */
function bytes(hexadecimal: string): string {
  const codes = (hexadecimal.match(/../g) ?? []).map((pair) => Number.parseInt(pair, 16));
  const texts = codes.map((code) => {
    const isPlain = code >= 0x20 && code < 0x7f && code !== 0x27 && code !== 0x5c;
    return isPlain ? String.fromCharCode(code) : escapedCharacter(code);
  });
  return `b'${texts.join("")}'`;
}

/** As Python quotes text; what does not print is escaped. */
function quoted(text: string): string {
  const quote = text.includes("'") && !text.includes('"') ? '"' : "'";
  let written = "";
  for (const character of text) {
    const code = character.codePointAt(0) ?? 0;
    if (character === "\\" || character === quote) written += `\\${character}`;
    else if (character === "\n") written += String.raw`\n`;
    else if (character === "\t") written += String.raw`\t`;
    else if (character === "\r") written += String.raw`\r`;
    else if (/[\p{C}\p{Zl}\p{Zp}]/u.test(character)) written += escapedCharacter(code);
    else written += character;
  }
  return `${quote}${written}${quote}`;
}

function escapedCharacter(code: number): string {
  const digits = code.toString(16);
  if (code <= 0xff) return `\\x${digits.padStart(2, "0")}`;
  return code <= 0xffff ? `\\u${digits.padStart(4, "0")}` : `\\U${digits.padStart(8, "0")}`;
}
