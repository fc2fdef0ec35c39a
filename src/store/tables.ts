/**
 * The tables of `run.sqlite`. Rows are only added; what no longer counts is marked `superseded`.
 * Strings that repeat (step names, games, players, limits) lie once in `texts`. Every row carries a
 * checksum, see `CheckedTable`; the marks are covered by the partial indexes.
 */
import { recordsVersion } from "../records/index.ts";
import { numberOf, type Database } from "./database.ts";
import { storeError } from "./store-errors.ts";

/** "spar" in ASCII: what the file says that it is. */
const applicationId = 0x73706172;

const tables = `
CREATE TABLE texts (id INTEGER PRIMARY KEY, text TEXT NOT NULL UNIQUE, crc INTEGER NOT NULL);
CREATE TABLE events (id INTEGER PRIMARY KEY, kind TEXT NOT NULL, time_ms INTEGER NOT NULL,
  detail TEXT NOT NULL, crc INTEGER NOT NULL);
CREATE TABLE steps (
  id INTEGER PRIMARY KEY, position INTEGER NOT NULL, name TEXT NOT NULL, kind TEXT NOT NULL,
  uses TEXT NOT NULL, result TEXT NOT NULL, effects TEXT NOT NULL, started_ms INTEGER NOT NULL,
  duration_ms REAL NOT NULL, chain TEXT NOT NULL, superseded INTEGER NOT NULL DEFAULT 0,
  crc INTEGER NOT NULL);
CREATE UNIQUE INDEX steps_by_position ON steps (position) WHERE superseded = 0;
CREATE TABLE checkpoints (
  folder TEXT PRIMARY KEY, step INTEGER NOT NULL REFERENCES steps, policy TEXT NOT NULL,
  bytes INTEGER NOT NULL, files TEXT NOT NULL, digest TEXT, crc INTEGER NOT NULL);
CREATE TABLE reports (
  id INTEGER PRIMARY KEY, step INTEGER NOT NULL REFERENCES steps, place TEXT NOT NULL, event TEXT NOT NULL,
  crc INTEGER NOT NULL);
CREATE INDEX reports_by_step ON reports (step);
CREATE TABLE metrics (
  id INTEGER PRIMARY KEY, step INTEGER NOT NULL REFERENCES steps, name INTEGER NOT NULL REFERENCES texts,
  position INTEGER NOT NULL, value REAL, crc INTEGER NOT NULL);
CREATE INDEX metrics_by_step ON metrics (step);
CREATE TABLE annotations (
  id INTEGER PRIMARY KEY, step INTEGER NOT NULL REFERENCES steps, episode TEXT NOT NULL, annotation TEXT NOT NULL,
  crc INTEGER NOT NULL);
CREATE INDEX annotations_by_episode ON annotations (episode);
CREATE TABLE episodes (
  id INTEGER PRIMARY KEY, key TEXT NOT NULL, step INTEGER NOT NULL REFERENCES texts,
  game INTEGER NOT NULL REFERENCES texts, task_id TEXT NOT NULL, task TEXT NOT NULL, group_id TEXT NOT NULL,
  seed INTEGER NOT NULL, seats INTEGER NOT NULL REFERENCES texts, limits INTEGER NOT NULL REFERENCES texts,
  outcome TEXT, outcome_crc INTEGER, superseded INTEGER NOT NULL DEFAULT 0, crc INTEGER NOT NULL);
CREATE UNIQUE INDEX episodes_by_key ON episodes (key) WHERE superseded = 0;
CREATE INDEX episodes_by_step ON episodes (step) WHERE superseded = 0;
CREATE TABLE turns (
  episode INTEGER NOT NULL REFERENCES episodes, sequence INTEGER NOT NULL, sibling INTEGER NOT NULL,
  parent_sequence INTEGER, parent_sibling INTEGER, seat INTEGER NOT NULL REFERENCES texts,
  player INTEGER NOT NULL REFERENCES texts, spans BLOB NOT NULL, logprobs BLOB NOT NULL,
  sampling INTEGER REFERENCES texts, seed INTEGER, finish TEXT, text TEXT NOT NULL, parsed TEXT,
  ask TEXT NOT NULL, duration_us INTEGER NOT NULL, elapsed_us INTEGER NOT NULL, crc INTEGER NOT NULL,
  PRIMARY KEY (episode, sequence, sibling)) WITHOUT ROWID;
CREATE TABLE calls (
  episode INTEGER NOT NULL REFERENCES episodes, sequence INTEGER NOT NULL,
  service INTEGER NOT NULL REFERENCES texts, input TEXT NOT NULL, output TEXT NOT NULL, failure TEXT,
  duration_us INTEGER NOT NULL, elapsed_us INTEGER NOT NULL, crc INTEGER NOT NULL,
  PRIMARY KEY (episode, sequence)) WITHOUT ROWID;
CREATE TABLE refusals (
  episode INTEGER NOT NULL REFERENCES episodes, sequence INTEGER NOT NULL, elapsed_us INTEGER NOT NULL, crc INTEGER NOT NULL,
  PRIMARY KEY (episode, sequence)) WITHOUT ROWID;
`;

const statements = tables
  .split(";")
  .map((statement) => statement.trim())
  .filter((statement) => statement !== "");

/** Makes the tables of a new run. */
export function createTables(database: Database): void {
  database.transaction(() => {
    database.execute(tables);
    database.execute(`PRAGMA application_id = ${applicationId}`);
    database.execute(`PRAGMA user_version = ${recordsVersion}`);
  });
}

/**
 * Makes sure that a database is a run's, of the version that can be read.
 *
 * @throws `run-corrupt`, `run-too-new`, `run-too-old`
 */
export function checkTables(database: Database): void {
  const application = numberOf(database.first("PRAGMA application_id") ?? {}, "application_id");
  if (application !== applicationId) {
    throw storeError("run-corrupt", "expected the database of a run, found another or an empty file");
  }
  const version = numberOf(database.first("PRAGMA user_version") ?? {}, "user_version");
  checkRecordsVersion(version);
  const found = database.all("SELECT sql FROM sqlite_master WHERE sql IS NOT NULL").map((row) => row["sql"]);
  if (found.join(";\n") !== statements.join(";\n"))
    throw storeError("run-corrupt", "expected the tables of a run, found others");
}

/** @throws `run-too-new`, `run-too-old` */
export function checkRecordsVersion(version: number): void {
  if (version === recordsVersion) return;
  const code = version > recordsVersion ? "run-too-new" : "run-too-old";
  throw storeError(code, `expected records of version ${recordsVersion}, got version ${version}`);
}

/**
 * Reads the whole file for damage that no checksum of a row shows: broken pages, rows that are missing
 * from an index or point to none. Some 7 ms per megabyte.
 *
 * @throws `run-corrupt`
 */
export function checkStructure(database: Database): void {
  const [first] = database.all("PRAGMA integrity_check(1)");
  const answer = first?.["integrity_check"];
  if (answer !== "ok")
    throw storeError("run-corrupt", `expected an undamaged database, got: ${String(answer)}`);
  const orphan = database.first("PRAGMA foreign_key_check");
  if (orphan === null) return;
  const { table, parent } = orphan;
  throw storeError(
    "run-corrupt",
    `expected an undamaged database, got a row of ${String(table)} without its row of ${String(parent)}`,
  );
}
