/** JSON as a type, and one canonical spelling of it, so that equal values have equal digests. */

export type JsonPrimitive = string | number | boolean | null;
export type JsonValue = JsonPrimitive | readonly JsonValue[] | JsonObject;
export interface JsonObject {
  readonly [key: string]: JsonValue;
}

/**
 * Keys sorted, no spaces. Refuses what JSON would silently change: NaN, infinities, undefined and
 * functions. Used for digests and for comparing options of a resumed run.
 */
export function canonicalJson(value: JsonValue): string {
  if (value === null || typeof value === "string" || typeof value === "boolean") return JSON.stringify(value);
  if (typeof value === "number") {
    if (!Number.isFinite(value)) throw new RangeError(`JSON cannot hold ${value}`);
    return JSON.stringify(value);
  }
  if (isJsonArray(value)) return `[${value.map(canonicalJson).join(",")}]`;
  if (typeof value !== "object") throw new TypeError(`JSON cannot hold a ${typeof value}`);
  const members = Object.keys(value)
    .toSorted()
    .map((key) => `${JSON.stringify(key)}:${canonicalJson(value[key] as JsonValue)}`);
  return `{${members.join(",")}}`;
}

/**
 * The value as its JSON gives it back, without the text between: no negative zero, plain objects.
 * Shares nothing with the value that can be changed.
 *
 * @throws RangeError, TypeError as `canonicalJson` does
 */
export function copyJson(value: JsonValue): JsonValue {
  if (value === null || typeof value === "string" || typeof value === "boolean") return value;
  if (typeof value === "number") {
    if (!Number.isFinite(value)) throw new RangeError(`JSON cannot hold ${value}`);
    return value === 0 ? 0 : value;
  }
  if (isJsonArray(value)) return Array.from(value, copyJson);
  if (typeof value !== "object") throw new TypeError(`JSON cannot hold a ${typeof value}`);
  // Taken over at once and then gone through: twice as fast as member by member.
  const copy: Record<string, JsonValue> = { ...value };
  for (const key in copy) copy[key] = copyJson(copy[key] as JsonValue);
  return copy;
}

function isJsonArray(value: JsonValue): value is readonly JsonValue[] {
  return Array.isArray(value);
}

/**
 * The value of a JSON text: what `JSON.parse` gives, by the type that it has by definition. Data from
 * outside still needs a schema.
 *
 * @throws SyntaxError
 */
export function parseJson(text: string): JsonValue {
  return JSON.parse(text) as JsonValue;
}
