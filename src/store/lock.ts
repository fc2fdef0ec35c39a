/**
 * One writer per run. The lock is an exclusive transaction on a small SQLite file that is held as
 * long as the run is open: the operating system drops it when its owner ends in whatever way, so it
 * never has to be broken by hand. Readers need no lock.
 */
import { DatabaseSync } from "node:sqlite";
import { isSparError } from "../base/index.ts";
import { storeError, toStoreError } from "./store-errors.ts";

export interface RunLock {
  /** Idempotent. */
  release(): void;
}

/** Long enough for those who only look whether the lock is taken. */
const lockTimeoutMs = 250;

/**
 * Takes the lock or refuses.
 *
 * @throws `run-busy` while another process (or another opener in this one) has the run open
 */
export function takeLock(path: string): RunLock {
  let database: DatabaseSync | null = null;
  try {
    database = new DatabaseSync(path, { timeout: lockTimeoutMs });
    database.exec("BEGIN EXCLUSIVE");
  } catch (thrown) {
    database?.close();
    const error = toStoreError(thrown, "locking the run");
    if (isSparError(error) && error.code === "run-busy") {
      throw storeError(
        "run-busy",
        "expected to be the only process on this run, found another that has it open",
        {
          cause: thrown,
        },
      );
    }
    throw error;
  }
  const held = database;
  let isHeld = true;
  return {
    release: () => {
      if (isHeld) held.close();
      isHeld = false;
    },
  };
}

/** Whether somebody has the run open. Only looks: the lock is not taken for it. */
export function isLocked(path: string): boolean {
  let database: DatabaseSync | null = null;
  try {
    database = new DatabaseSync(path, { readOnly: true, timeout: 0 });
    database.prepare("SELECT * FROM sqlite_master").all();
    return false;
  } catch (thrown) {
    const error = toStoreError(thrown, "looking at the lock of the run");
    return isSparError(error) && error.code === "run-busy";
  } finally {
    database?.close();
  }
}
