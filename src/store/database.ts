/**
 * A thin layer over `node:sqlite`: prepared statements by text, transactions, typed columns, errors
 * of the store. Everything that touches SQLite goes through here; it knows no table.
 */
import { DatabaseSync, type SQLInputValue, type SQLOutputValue, type StatementSync } from "node:sqlite";
import { accessSync, constants, existsSync, statSync } from "node:fs";
import { dirname } from "node:path";
import { pathToFileURL } from "node:url";
import { storeError, toStoreError, withReadErrors } from "./store-errors.ts";

export type Row = Readonly<Record<string, SQLOutputValue>>;

/** A write-ahead log that is longer is written back, and emptied. */
const longestLogBytes = 4 * 1024 * 1024;

/** How long to wait for others who have the database open. */
const busyTimeoutMs = 5000;

export class Database {
  readonly #connection: DatabaseSync;
  readonly #path: string;
  readonly #statements = new Map<string, StatementSync>();
  #isOpen = true;

  private constructor(connection: DatabaseSync, path: string) {
    this.#connection = connection;
    this.#path = path;
  }

  /** Opens for writing: write-ahead log, every commit forced to disk. */
  static openForWriting(path: string): Database {
    return Database.#guard("opening the database of the run", () => {
      const database = new Database(new DatabaseSync(path, { timeout: busyTimeoutMs }), path);
      return database.orClose(() => {
        database.execute("PRAGMA journal_mode = WAL");
        database.execute("PRAGMA synchronous = FULL");
        database.execute("PRAGMA wal_autocheckpoint = 0");
        database.execute("PRAGMA foreign_keys = ON");
        return database;
      });
    });
  }

  /** Opens for reading beside a live writer, or of a folder that cannot be written. */
  static openForReading(path: string): Database {
    return Database.#guard("opening the database of the run", () => {
      checkReadable(path);
      // Where nothing can be written there is no lock and no index of the log, unless a log with
      // commits lies there: it must be read, and SQLite says where it cannot.
      const isAsIs = !isWritable(dirname(path)) && logBytes(path) === 0;
      const location = isAsIs ? new URL(`${pathToFileURL(path).href}?immutable=1`) : path;
      return new Database(new DatabaseSync(location, { readOnly: true, timeout: busyTimeoutMs }), path);
    });
  }

  execute(sql: string): void {
    this.#guarded(() => this.#connection.exec(sql));
  }

  run(
    sql: string,
    ...values: readonly SQLInputValue[]
  ): { readonly lastId: number; readonly changes: number } {
    return this.#guarded(() => {
      const { lastInsertRowid, changes } = this.#statement(sql).run(...values);
      return { lastId: Number(lastInsertRowid), changes: Number(changes) };
    });
  }

  first(sql: string, ...values: readonly SQLInputValue[]): Row | null {
    return this.#guarded(() => this.#statement(sql).get(...values) ?? null);
  }

  all(sql: string, ...values: readonly SQLInputValue[]): Row[] {
    return this.#guarded(() => this.#statement(sql).all(...values));
  }

  /** Rows one by one, for tables that grow with the run. */
  *each(sql: string, ...values: readonly SQLInputValue[]): Generator<Row> {
    // A statement of its own: a cached one would be reset by whoever runs the same text meanwhile.
    const rows = this.#guarded(() => this.#connection.prepare(sql).iterate(...values));
    for (;;) {
      const next = this.#guarded(() => rows.next());
      if (next.done === true) return;
      yield next.value;
    }
  }

  /** All or nothing. Not to be nested. */
  transaction<T>(body: () => T): T {
    this.execute("BEGIN IMMEDIATE");
    try {
      const result = body();
      this.execute("COMMIT");
      this.#shortenLog();
      return result;
    } catch (thrown) {
      this.#rollBack();
      throw thrown;
    }
  }

  /** Work without which nobody will keep the database: closes it where that fails. */
  orClose<T>(work: () => T): T {
    try {
      return work();
    } catch (thrown) {
      this.close();
      throw thrown;
    }
  }

  /** Idempotent. */
  close(): void {
    if (!this.#isOpen) return;
    this.#isOpen = false;
    this.#connection.close();
  }

  /**
   * Writes the log back and empties it at once. Left to SQLite, a log that was written back stays until
   * the next commit: cut then, it would give old pages beside the new ones of the database.
   */
  #shortenLog(): void {
    if (logBytes(this.#path) < longestLogBytes) return;
    try {
      // Whoever reads just now keeps the log from being emptied: a later commit will do.
      this.#connection.exec("PRAGMA busy_timeout = 0; PRAGMA wal_checkpoint(TRUNCATE)");
    } catch {
      // The commit stands, whatever the disk says now; what is wrong with it the next commit will tell.
    } finally {
      this.#connection.exec(`PRAGMA busy_timeout = ${busyTimeoutMs}`);
    }
  }

  #rollBack(): void {
    try {
      this.#connection.exec("ROLLBACK");
    } catch {
      // SQLite has rolled back by itself, as it does on a full disk; the first error is the one to tell.
    }
  }

  #statement(sql: string): StatementSync {
    const known = this.#statements.get(sql);
    if (known !== undefined) return known;
    const statement = this.#connection.prepare(sql);
    this.#statements.set(sql, statement);
    return statement;
  }

  #guarded<T>(work: () => T): T {
    if (!this.#isOpen) throw storeError("run-closed", "expected an open run, it was closed");
    return Database.#guard("the database of the run", work);
  }

  static #guard<T>(what: string, work: () => T): T {
    try {
      return work();
    } catch (thrown) {
      throw toStoreError(thrown, what);
    }
  }
}

/** SQLite says of whatever it cannot read that it cannot open it. */
function checkReadable(path: string): void {
  if (!existsSync(path)) throw storeError("run-corrupt", `expected the database ${path}, found none`);
  withReadErrors(`reading ${path}`, () => {
    if (!statSync(path).isFile()) throw storeError("run-corrupt", `expected ${path} to be a file`);
    accessSync(path, constants.R_OK);
  });
}

/** The length of the write-ahead log of a database. */
function logBytes(path: string): number {
  return statSync(`${path}-wal`, { throwIfNoEntry: false })?.size ?? 0;
}

function isWritable(folder: string): boolean {
  try {
    accessSync(folder, constants.W_OK);
    return true;
  } catch {
    return false;
  }
}

/** @throws `run-corrupt` where the column holds something else */
export function textOf(row: Row, column: string): string {
  const value = row[column];
  if (typeof value !== "string") throw wrongType(column, "text", value);
  return value;
}

/** @throws `run-corrupt` where the column holds something else */
export function textOrNullOf(row: Row, column: string): string | null {
  return row[column] === null ? null : textOf(row, column);
}

/** @throws `run-corrupt` where the column holds something else */
export function numberOf(row: Row, column: string): number {
  const value = row[column];
  if (typeof value !== "number") throw wrongType(column, "a number", value);
  return value;
}

/** @throws `run-corrupt` where the column holds something else */
export function numberOrNullOf(row: Row, column: string): number | null {
  return row[column] === null ? null : numberOf(row, column);
}

/** @throws `run-corrupt` where the column holds something else */
export function bytesOf(row: Row, column: string): Uint8Array {
  const value = row[column];
  if (!(value instanceof Uint8Array)) throw wrongType(column, "bytes", value);
  return value;
}

function wrongType(column: string, expected: string, value: unknown): Error {
  return storeError(
    "run-corrupt",
    `expected ${expected} in column ${column}, got ${value === null ? "null" : typeof value}`,
  );
}
