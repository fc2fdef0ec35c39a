/**
 * A run folder that is open for writing, by one process at a time: the step log, the journal of
 * episodes, checkpoints. Whoever executes a run holds it; readers use `openRunReader`. Knows no
 * recipe, engine or game.
 */
import { existsSync, mkdirSync, rmSync } from "node:fs";
import { dirname } from "node:path";
import type { Clock, JsonValue } from "../base/index.ts";
import { CheckpointFolder } from "./checkpoints.ts";
import { Database } from "./database.ts";
import { EpisodeJournal } from "./episode-journal.ts";
import { takeLock, type RunLock } from "./lock.ts";
import { makeFolder } from "./make-folder.ts";
import { isRunFolder, readManifest, writeManifest, type RunManifest } from "./manifest.ts";
import { runPaths, type RunPaths } from "./run-paths.ts";
import { RunEvents } from "./run-events.ts";
import { StepLog, type StepAttachments, type StepCommit } from "./step-log.ts";
import { storeError, withStoreErrors } from "./store-errors.ts";
import { checkStructure, checkTables, createTables } from "./tables.ts";
import { TextTable } from "./text-table.ts";

export class RunStore {
  readonly paths: RunPaths;
  readonly manifest: RunManifest;
  readonly steps: StepLog;
  readonly episodes: EpisodeJournal;
  readonly checkpoints: CheckpointFolder;
  readonly #database: Database;
  readonly #texts: TextTable;
  readonly #events: RunEvents;
  readonly #lock: RunLock;
  readonly #clock: Clock;
  #isOpen = true;

  private constructor(
    paths: RunPaths,
    manifest: RunManifest,
    database: Database,
    lock: RunLock,
    clock: Clock,
  ) {
    this.paths = paths;
    this.manifest = manifest;
    this.#database = database;
    this.#lock = lock;
    this.#clock = clock;
    this.#texts = new TextTable(database);
    this.#events = new RunEvents(database);
    this.steps = new StepLog(database, this.#texts);
    this.episodes = new EpisodeJournal(database, this.#texts);
    this.checkpoints = new CheckpointFolder(paths.checkpoints);
  }

  /**
   * Makes the folder of a new run, or nothing. `run.json` is written last, so a folder without it, as a
   * crash in the middle leaves it, never was a run.
   *
   * @throws `run-exists`, `run-busy`, `disk-full`, `store-read-only`
   */
  static create(folder: string, manifest: RunManifest, clock: Clock): RunStore {
    const paths = runPaths(folder);
    withStoreErrors(`making the folder ${folder}`, () => {
      makeFolder(dirname(folder));
      if (existsSync(folder)) throw folderExists(folder);
      mkdirSync(folder);
    });
    try {
      withStoreErrors(`making the folder ${folder}`, () => {
        for (const inner of [paths.checkpoints, paths.artifacts]) mkdirSync(inner);
      });
      return RunStore.#locked(paths, (lock) => {
        const database = Database.openForWriting(paths.database);
        return database.orClose(() => {
          createTables(database);
          const events = new RunEvents(database);
          database.transaction(() => events.appendCreation(manifest, clock.nowMs()));
          writeManifest(folder, manifest);
          return new RunStore(paths, manifest, database, lock, clock);
        });
      });
    } catch (thrown) {
      rmSync(folder, { recursive: true, force: true });
      throw thrown;
    }
  }

  /**
   * Opens an existing run for going on with it, after looking for damage.
   *
   * @throws `not-a-run`, `run-busy`, `run-too-new`, `run-too-old`, `run-corrupt`, `run-unreadable`,
   * `store-read-only`
   */
  static open(folder: string, clock: Clock): RunStore {
    const paths = runPaths(folder);
    const manifest = readManifest(folder);
    // To open for writing is to write: not to a file that is no run's.
    const found = Database.openForReading(paths.database);
    found.orClose(() => checkTables(found));
    found.close();
    return RunStore.#locked(paths, (lock) => {
      const database = Database.openForWriting(paths.database);
      return database.orClose(() => RunStore.#checked(paths, manifest, database, lock, clock));
    });
  }

  /**
   * Opens a finished run to tell it again. Takes no lock and writes nothing, so that it may lie where
   * nothing can be written.
   *
   * @returns null where the run has not finished
   * @throws what `open` throws but `run-busy`
   */
  static openFinished(folder: string, clock: Clock): RunStore | null {
    const paths = runPaths(folder);
    const manifest = readManifest(folder);
    const database = Database.openForReading(paths.database);
    return database.orClose(() => {
      checkTables(database);
      if (new StepLog(database, new TextTable(database)).isFinished())
        return RunStore.#checked(paths, manifest, database, { release: () => undefined }, clock);
      database.close();
      return null;
    });
  }

  /** Commits a step, with the episodes that still wait, in one transaction that is on the disk afterwards. */
  commit(step: StepCommit, attachments: StepAttachments): void {
    this.#transaction(() => this.steps.append(step, attachments));
  }

  /** Goes back: all steps from a position on no longer count. */
  supersedeFrom(position: number): void {
    this.#transaction(() => this.steps.supersedeFrom(position));
  }

  /** Adds an event about the run itself: opened, resumed, failed. */
  event(kind: string, detail: JsonValue): void {
    this.#transaction(() => this.#events.append({ kind, timeMs: this.#clock.nowMs(), detail }));
  }

  /** Writes what waits, closes the database and gives up the lock. Idempotent. */
  close(): void {
    if (!this.#isOpen) return;
    this.#isOpen = false;
    try {
      this.episodes.flush();
    } finally {
      this.episodes.close();
      this.#database.close();
      this.#lock.release();
    }
  }

  #transaction(body: () => void): void {
    try {
      this.#database.transaction(() => {
        this.episodes.write();
        body();
      });
    } catch (thrown) {
      // Numbers of strings that were made inside are gone with the transaction.
      this.#texts.forget();
      throw thrown;
    }
    this.episodes.written();
  }

  static #checked(
    paths: RunPaths,
    manifest: RunManifest,
    database: Database,
    lock: RunLock,
    clock: Clock,
  ): RunStore {
    checkTables(database);
    checkStructure(database);
    const store = new RunStore(paths, manifest, database, lock, clock);
    store.#events.checkManifest(manifest);
    store.steps.verify();
    return store;
  }

  static #locked(paths: RunPaths, open: (lock: RunLock) => RunStore): RunStore {
    const lock = takeLock(paths.lock);
    try {
      return open(lock);
    } catch (thrown) {
      lock.release();
      throw thrown;
    }
  }
}

/** A crash while a run was being made leaves a folder that nobody can resume and that is in the way. */
function folderExists(folder: string): Error {
  const message = `expected a new folder, ${folder} exists`;
  if (isRunFolder(folder)) return storeError("run-exists", message);
  return storeError("run-exists", message, {
    hint: "it holds no run: look into it and remove it, or choose another folder",
  });
}
