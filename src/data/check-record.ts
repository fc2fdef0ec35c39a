/** Holds a value that was read against the schema that the caller expects. */
import type { z } from "zod";
import { dataError, showValue } from "./data-error.ts";

export interface RecordPlace {
  readonly file: string;
  /** From 1; in parquet files the number of the row. */
  readonly line: number;
}

/** @throws `data-bad-record` naming the first field that is wrong, what was expected and what came. */
export function checkRecord<Schema extends z.ZodType>(
  value: unknown,
  schema: Schema,
  place: RecordPlace,
): z.output<Schema> {
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  const path = issue?.path ?? [];
  const field = path.length === 0 ? "the record" : path.join(".");
  const expectation = (issue?.message ?? "is not as expected").replace(/^Invalid input: /, "");
  throw dataError("data-bad-record", `${field}: ${expectation}; got ${showValue(valueAt(value, path))}`, {
    ...place,
    hint: hintFor(value, path),
    facts: { field: path.join(".") },
    cause: parsed.error,
  });
}

function valueAt(value: unknown, path: readonly PropertyKey[]): unknown {
  let current = value;
  for (const key of path) {
    if (typeof current !== "object" || current === null) return undefined;
    current = Reflect.get(current, key);
  }
  return current;
}

/** For a file that is one JSON document instead of one per line. */
export const arrayHint = "the file seems to be one JSON array; put one record per line (jq -c '.[]')";

function hintFor(value: unknown, path: readonly PropertyKey[]): string {
  if (path.length === 0 && Array.isArray(value)) return arrayHint;
  if (path.length === 1 && typeof value === "object" && value !== null) {
    return `the record has the fields ${Object.keys(value).join(", ") || "(none)"}; rename or convert them, or leave the record out`;
  }
  return "correct the record or leave it out";
}
