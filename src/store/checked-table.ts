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

/** Rows that one statement inserts, where there are many. */
const rowsAtOnce = 16;

export class CheckedTable {
  readonly #database: Database;
  readonly #name: string;
  readonly #columns: readonly string[];
  readonly #insert: string;
  readonly #insertMany: string;

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
    const row = `(${names.map(() => "?").join(",")})`;
    this.#insert = `${verb} INTO ${name} (${names.join(", ")}) VALUES ${row}`;
    this.#insertMany = `${this.#insert}${`,${row}`.repeat(rowsAtOnce - 1)}`;
  }

  /** Adds a row, its values in the order of the columns; gives its number. */
  insert(...values: readonly Value[]): number {
    return this.#database.run(this.#insert, ...values, checksum(values)).lastId;
  }

  /** Adds many rows, each as `insert` does; a third less work than one by one. */
  insertAll(rows: readonly (readonly Value[])[]): void {
    const lastGroup = rows.length - (rows.length % rowsAtOnce);
    for (let start = 0; start < lastGroup; start += rowsAtOnce) {
      const values: Value[] = [];
      for (let index = start; index < start + rowsAtOnce; index++) {
        const row = rows[index] ?? [];
        for (const value of row) values.push(value);
        values.push(checksum(row));
      }
      this.#database.run(this.#insertMany, ...values);
    }
    for (const row of rows.slice(lastGroup)) this.insert(...row);
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
      if (value.length === 0) {
        // As below, without going through bytes for none.
        text += "#0 ";
        continue;
      }
      sum = crc32(value, crc32(`${text}#${value.length} `, sum));
      text = "";
    } else text += `${String(value)};`;
  }
  return crc32(text, sum) | 0;
}
