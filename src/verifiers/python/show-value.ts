/** Python values in one line for people, cut where they are long. Nothing is computed from this text. */
import { typedValue, type PythonValue } from "./python-value.ts";

const longestShown = 120;

export function showValue(value: PythonValue): string {
  const text = literal(value);
  return text.length <= longestShown ? text : `${text.slice(0, longestShown)}... (${text.length} characters)`;
}

function literal(value: PythonValue): string {
  if (value === null) return "None";
  if (typeof value === "boolean") return value ? "True" : "False";
  if (typeof value === "string") return quoted(value);
  const typed = typedValue(value);
  if (typed === null) return String(value);
  const [type, ...parts] = typed;
  const items = parts as readonly PythonValue[];
  switch (type) {
    case "int":
    case "float":
      return String(parts[0]);
    case "complex":
      return `complex(${String(parts[0])}, ${String(parts[1])})`;
    case "bytes":
    case "bytearray":
      return `${type}.fromhex('${String(parts[0])}')`;
    case "list":
      return `[${items.map(literal).join(", ")}]`;
    case "tuple":
      return `(${items.map(literal).join(", ")}${items.length === 1 ? "," : ""})`;
    case "set":
      return items.length === 0 ? "set()" : `{${items.map(literal).join(", ")}}`;
    case "dict":
      return entries(parts);
    case "OrderedDict":
    case "defaultdict":
    case "Counter":
      return `${type}(${entries(parts)})`;
    case "namedtuple":
      return `${String(parts[0])}${literal(parts[1] as PythonValue)}`;
    case "opaque":
      return `<${String(parts[0])}>`;
    case "cycle":
      return "<itself>";
    case "Ellipsis":
    case "NotImplemented":
      return type;
    default:
      return `${type}(${items.map(literal).join(", ")})`;
  }
}

function entries(parts: readonly (PythonValue | readonly PythonValue[])[]): string {
  const texts = parts.map((entry) => (entry as readonly PythonValue[]).map(literal).join(": "));
  return `{${texts.join(", ")}}`;
}

/** As Python quotes it, near enough; everything that is no printable ASCII is escaped. */
function quoted(text: string): string {
  const escaped = text
    .replaceAll("\\", "\\\\")
    .replaceAll("'", "\\'")
    .replaceAll("\n", "\\n")
    .replaceAll(/[^\u0020-\u007e]/gu, (character) => {
      const code = character.codePointAt(0) ?? 0;
      if (code <= 0xff) return `\\x${code.toString(16).padStart(2, "0")}`;
      return code <= 0xffff
        ? `\\u${code.toString(16).padStart(4, "0")}`
        : `\\U${code.toString(16).padStart(8, "0")}`;
    });
  return `'${escaped}'`;
}
