/**
 * The tables of `run.sqlite`. Rows are only added; what no longer counts is marked `superseded`.
 * Strings that repeat (step names, games, players, limits) lie once in `texts`.
 */
import { recordsVersion } from "../records/index.ts";
import { numberOf, type Database } from "./database.ts";
import { storeError } from "./store-errors.ts";

/** "spar" in ASCII: what the file says that it is. */
const applicationId = 0x73706172;

const tables = `
CREATE TABLE texts (id INTEGER PRIMARY KEY, text TEXT NOT NULL UNIQUE);
CREATE TABLE events (id INTEGER PRIMARY KEY, kind TEXT NOT NULL, time_ms INTEGER NOT NULL, detail TEXT NOT NULL);
CREATE TABLE steps (
  id INTEGER PRIMARY KEY, position INTEGER NOT NULL, name TEXT NOT NULL, kind TEXT NOT NULL,
  uses TEXT NOT NULL, result TEXT NOT NULL, effects TEXT NOT NULL, started_ms INTEGER NOT NULL,
  duration_ms REAL NOT NULL, chain TEXT NOT NULL, superseded INTEGER NOT NULL DEFAULT 0);
CREATE UNIQUE INDEX steps_by_position ON steps (position) WHERE superseded = 0;
CREATE TABLE checkpoints (
  folder TEXT PRIMARY KEY, step INTEGER NOT NULL REFERENCES steps, policy TEXT NOT NULL,
  bytes INTEGER NOT NULL, files TEXT NOT NULL, digest TEXT);
CREATE TABLE reports (
  id INTEGER PRIMARY KEY, step INTEGER NOT NULL REFERENCES steps, place TEXT NOT NULL, event TEXT NOT NULL);
CREATE INDEX reports_by_step ON reports (step);
CREATE TABLE metrics (
  id INTEGER PRIMARY KEY, step INTEGER NOT NULL REFERENCES steps, name INTEGER NOT NULL REFERENCES texts,
  position INTEGER NOT NULL, value REAL);
CREATE INDEX metrics_by_step ON metrics (step);
CREATE TABLE annotations (
  id INTEGER PRIMARY KEY, step INTEGER NOT NULL REFERENCES steps, episode TEXT NOT NULL, annotation TEXT NOT NULL);
CREATE INDEX annotations_by_episode ON annotations (episode);
CREATE TABLE episodes (
  id INTEGER PRIMARY KEY, key TEXT NOT NULL, step INTEGER NOT NULL REFERENCES texts,
  game INTEGER NOT NULL REFERENCES texts, task_id TEXT NOT NULL, task TEXT NOT NULL, group_id TEXT NOT NULL,
  seed INTEGER NOT NULL, seats INTEGER NOT NULL REFERENCES texts, limits INTEGER NOT NULL REFERENCES texts,
  outcome TEXT, superseded INTEGER NOT NULL DEFAULT 0);
CREATE UNIQUE INDEX episodes_by_key ON episodes (key) WHERE superseded = 0;
CREATE INDEX episodes_by_step ON episodes (step) WHERE superseded = 0;
CREATE TABLE turns (
  episode INTEGER NOT NULL REFERENCES episodes, sequence INTEGER NOT NULL, sibling INTEGER NOT NULL,
  parent_sequence INTEGER, parent_sibling INTEGER, seat INTEGER NOT NULL REFERENCES texts,
  player INTEGER NOT NULL REFERENCES texts, spans BLOB NOT NULL, logprobs BLOB NOT NULL,
  sampling INTEGER REFERENCES texts, seed INTEGER, finish TEXT, text TEXT NOT NULL, parsed TEXT,
  ask TEXT NOT NULL, duration_ms REAL NOT NULL, elapsed_ms REAL NOT NULL,
  PRIMARY KEY (episode, sequence, sibling)) WITHOUT ROWID;
CREATE TABLE calls (
  episode INTEGER NOT NULL REFERENCES episodes, sequence INTEGER NOT NULL,
  service INTEGER NOT NULL REFERENCES texts, input TEXT NOT NULL, output TEXT NOT NULL, failure TEXT,
  duration_ms REAL NOT NULL, elapsed_ms REAL NOT NULL,
  PRIMARY KEY (episode, sequence)) WITHOUT ROWID;
CREATE TABLE refusals (
  episode INTEGER NOT NULL REFERENCES episodes, sequence INTEGER NOT NULL, elapsed_ms REAL NOT NULL,
  PRIMARY KEY (episode, sequence)) WITHOUT ROWID;
`;

/** Makes the tables of a new run. */
export function createTables(database: Database): void {
  database.transaction(() => {
    database.execute(tables);
    database.execute(`PRAGMA application_id = ${applicationId}`);
    database.execute(`PRAGMA user_version = ${recordsVersion}`);
  });
}

/**
 * Makes sure that a database is a run's, of a version that can be read.
 *
 * @throws `run-corrupt`, `run-too-new`
 */
export function checkTables(database: Database): void {
  const found = numberOf(database.first("PRAGMA application_id") ?? {}, "application_id");
  if (found !== applicationId) {
    throw storeError("run-corrupt", "expected the database of a run, found another or an empty file");
  }
  const version = numberOf(database.first("PRAGMA user_version") ?? {}, "user_version");
  checkRecordsVersion(version);
}

/** @throws `run-too-new` */
export function checkRecordsVersion(version: number): void {
  if (version > recordsVersion) {
    throw storeError("run-too-new", `expected records of version ${recordsVersion} or older, got ${version}`);
  }
}

/**
 * Reads the whole file for broken pages; for whoever is about to write.
 *
 * @throws `run-corrupt`
 */
export function checkPages(database: Database): void {
  const [first] = database.all("PRAGMA quick_check(1)");
  const answer = first?.["quick_check"];
  if (answer !== "ok")
    throw storeError("run-corrupt", `expected an undamaged database, got: ${String(answer)}`);
}
