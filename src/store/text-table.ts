/**
 * Strings that repeat, stored once and referred to by number. The numbers are remembered, so that a
 * turn costs no look-up; the memory is bounded, since only recent strings are asked for again.
 */
import { CheckedTable } from "./checked-table.ts";
import { numberOf, textOf, type Database } from "./database.ts";

const rememberedCount = 4096;

export class TextTable {
  readonly #database: Database;
  readonly #table: CheckedTable;
  readonly #ids = new Map<string, number>();
  readonly #texts = new Map<number, string>();
  #valueIds = new WeakMap<object, number>();

  constructor(database: Database) {
    this.#database = database;
    this.#table = new CheckedTable(database, "texts", ["text"]);
  }

  /** The number of a string, made where it is new; inside a transaction of the writer. */
  idOf(text: string): number {
    const known = this.#ids.get(text);
    if (known !== undefined) return known;
    const id = this.find(text) ?? this.#table.insert(text);
    remember(this.#ids, text, id);
    return id;
  }

  /** The number of the JSON of an object that does not change; the same object is not written as text again. */
  idOfValue(value: object): number {
    const known = this.#valueIds.get(value);
    if (known !== undefined) return known;
    const id = this.idOf(JSON.stringify(value));
    this.#valueIds.set(value, id);
    return id;
  }

  /** The number of a string, null where it was never stored. */
  find(text: string): number | null {
    const row = this.#database.first("SELECT id FROM texts WHERE text = ?", text);
    return row === null ? null : numberOf(row, "id");
  }

  textOf(id: number): string {
    const known = this.#texts.get(id);
    if (known !== undefined) return known;
    const row = this.#table.checked(this.#database.first("SELECT * FROM texts WHERE id = ?", id) ?? {});
    const text = textOf(row, "text");
    remember(this.#texts, id, text);
    return text;
  }

  /** Forgets what was remembered; after a transaction that was rolled back. */
  forget(): void {
    this.#ids.clear();
    this.#texts.clear();
    this.#valueIds = new WeakMap();
  }
}

function remember<Key, Value>(map: Map<Key, Value>, key: Key, value: Value): void {
  if (map.size >= rememberedCount) map.clear();
  map.set(key, value);
}
