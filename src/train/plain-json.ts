/** Values that a run stores must come back as they were: plain JSON, nothing that JSON would change silently. */
import type { JsonValue } from "../base/index.ts";
import { trainError } from "./train-errors.ts";

/**
 * A copy as the record will give it back.
 *
 * @throws `result-not-json` naming the place and what was found there
 */
export function toPlainJson(value: unknown, what: string): JsonValue {
  if (value === null || typeof value === "string" || typeof value === "boolean") return value;
  if (typeof value === "number") {
    if (!Number.isFinite(value)) throw notJson(what, String(value));
    // JSON has no negative zero.
    return value + 0;
  }
  if (Array.isArray(value)) return value.map((item, index) => toPlainJson(item, `${what}[${index}]`));
  if (typeof value !== "object") throw notJson(what, typeof value);
  const prototype: unknown = Object.getPrototypeOf(value);
  if (prototype !== Object.prototype && prototype !== null)
    throw notJson(what, `a ${value.constructor.name}`);
  const entries = Object.entries(value).toSorted(([a], [b]) => (a < b ? -1 : 1));
  return Object.fromEntries(entries.map(([key, member]) => [key, toPlainJson(member, `${what}.${key}`)]));
}

function notJson(what: string, found: string): Error {
  return trainError("result-not-json", `expected ${what} to be JSON, found ${found}`, {
    hint: "give numbers, texts, booleans, lists and objects of them; null where there is nothing to say",
  });
}
