/**
 * A table whose rows carry a checksum, since SQLite has none of its own: a bit that flips on the disk
 * is found where the row is read, and never taken for a record. Knows no table by name.
 */
import { crc32 } from "node:zlib";
import type { Database, Row } from "./database.ts";
import { storeError } from "./store-errors.ts";

/** What a column can hold. */
export type Value = null | number | bigint | string | Uint8Array;

/** The column that holds the checksum of the others; five bytes of a row. */
export const checksumColumn = "crc";

export class CheckedTable {
  readonly #database: Database;
  readonly #name: string;
  readonly #columns: readonly string[];
  readonly #insert: string;

  /**
   * `columns` are all that are written when a row is made; what is changed later is none of them.
   * With `replaces` a row goes over one of the same key.
   */
  constructor(
    database: Database,
    name: string,
    columns: readonly string[],
    options: { readonly replaces?: boolean } = {},
  ) {
    this.#database = database;
    this.#name = name;
    this.#columns = columns;
    const names = [...columns, checksumColumn];
    const verb = options.replaces === true ? "INSERT OR REPLACE" : "INSERT";
    this.#insert = `${verb} INTO ${name} (${names.join(", ")}) VALUES (${names.map(() => "?").join(",")})`;
  }

  /** Adds a row, its values in the order of the columns; gives its number. */
  insert(...values: readonly Value[]): number {
    return this.#database.run(this.#insert, ...values, checksum(values)).lastId;
  }

  /**
   * The row, as it was written.
   *
   * @throws `run-corrupt`
   */
  checked(row: Row): Row {
    const values = this.#columns.map((column) => row[column] ?? null);
    if (row[checksumColumn] !== checksum(values)) throw damagedRow(this.#name);
    return row;
  }
}

export function damagedRow(table: string): Error {
  return storeError(
    "run-corrupt",
    `expected a row of ${table} as it was written, found one that was changed since`,
  );
}

/** CRC-32 over kinds, lengths and values, as a signed integer: SQLite keeps that in four bytes. */
export function checksum(values: readonly Value[]): number {
  let sum = 0;
  let text = "";
  for (const value of values) {
    if (typeof value === "string") text += `"${value.length} ${value}`;
    else if (value instanceof Uint8Array) {
      sum = crc32(value, crc32(`${text}#${value.length} `, sum));
      text = "";
    } else text += `${String(value)};`;
  }
  return crc32(text, sum) | 0;
}
