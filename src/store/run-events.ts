/**
 * What happened to a run itself: begun, gone on with, failed. The first event says which `run.json`
 * belongs to the records, so that one of another run, or one that was changed, is noticed.
 */
import { canonicalJson, parseJson, sha256, type JsonValue } from "../base/index.ts";
import { CheckedTable } from "./checked-table.ts";
import { numberOf, textOf, type Database, type Row } from "./database.ts";
import type { RunManifest } from "./manifest.ts";
import { jsonOf } from "./stored-json.ts";
import { storeError } from "./store-errors.ts";

export interface RunEventRecord {
  readonly kind: string;
  readonly timeMs: number;
  readonly detail: JsonValue;
}

const creationKind = "run-created";

export class RunEvents {
  readonly #database: Database;
  readonly #table: CheckedTable;

  constructor(database: Database) {
    this.#database = database;
    this.#table = new CheckedTable(database, "events", ["kind", "time_ms", "detail"]);
  }

  /** Adds an event; inside a transaction of the writer. */
  append({ kind, timeMs, detail }: RunEventRecord): void {
    this.#table.insert(kind, Math.round(timeMs), JSON.stringify(detail));
  }

  /** In the order in which they happened. */
  *each(): Generator<RunEventRecord> {
    for (const row of this.#database.each("SELECT * FROM events ORDER BY id")) yield this.#eventOf(row);
  }

  last(): RunEventRecord | null {
    const row = this.#database.first("SELECT * FROM events ORDER BY id DESC LIMIT 1");
    return row === null ? null : this.#eventOf(row);
  }

  /** The first event of a new run; inside a transaction of the writer. */
  appendCreation(manifest: RunManifest, timeMs: number): void {
    this.append({ kind: creationKind, timeMs, detail: { manifest: digestOf(manifest) } });
  }

  /** @throws `run-corrupt` where `run.json` is not the one that the run began with */
  checkManifest(manifest: RunManifest): void {
    const row = this.#database.first("SELECT * FROM events ORDER BY id LIMIT 1");
    const first = row === null ? null : this.#eventOf(row);
    const expected = canonicalJson({ manifest: digestOf(manifest) });
    if (first?.kind === creationKind && canonicalJson(first.detail) === expected) return;
    throw storeError("run-corrupt", "expected run.json as it was when the run began, found it changed");
  }

  #eventOf(row: Row): RunEventRecord {
    this.#table.checked(row);
    return {
      kind: textOf(row, "kind"),
      timeMs: numberOf(row, "time_ms"),
      detail: jsonOf<JsonValue>(row, "detail"),
    };
  }
}

/** Of its content: how it is laid out does not matter. */
function digestOf(manifest: RunManifest): string {
  return sha256(canonicalJson(parseJson(JSON.stringify(manifest))));
}
