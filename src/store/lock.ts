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

/**
 * Takes the lock or refuses at once.
 *
 * @throws `run-busy` while another process (or another opener in this one) has the run open
 */
export function takeLock(path: string): RunLock {
  let database: DatabaseSync | null = null;
  try {
    database = new DatabaseSync(path, { timeout: 0 });
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

/** Whether somebody has the run open; takes the lock for a moment to find out. */
export function isLocked(path: string): boolean {
  try {
    takeLock(path).release();
    return false;
  } catch (thrown) {
    return isSparError(thrown) && thrown.code === "run-busy";
  }
}
