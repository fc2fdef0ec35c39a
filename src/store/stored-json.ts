/** JSON columns of the database: written by this store, in the shape of the records version that was checked at open. */
import { parseJson } from "../base/index.ts";
import { textOf, textOrNullOf, type Row } from "./database.ts";
import { storeError } from "./store-errors.ts";

/** @throws `run-corrupt` where the text is no JSON */
export function parseStored<T>(text: string): T {
  try {
    // Only this store writes here, and a newer version of it was refused before.
    return parseJson(text) as T;
  } catch (cause) {
    throw storeError("run-corrupt", "expected JSON in the database of the run", { cause });
  }
}

export function jsonOf<T>(row: Row, column: string): T {
  return parseStored<T>(textOf(row, column));
}

export function jsonOrNullOf<T>(row: Row, column: string): T | null {
  const text = textOrNullOf(row, column);
  return text === null ? null : parseStored<T>(text);
}
