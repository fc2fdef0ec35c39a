/**
 * Episodes, turns and calls as they happen, written in groups: a record is on the disk at most 100 ms
 * after it was handed over, and an episode counts as finished once its end is there. Siblings of one
 * ask go in together or not at all. Knows nothing of games and players.
 */
import { systemClock, type Clock } from "../base/index.ts";
import {
  compareEpisodeIds,
  type Call,
  type EpisodeEnd,
  type EpisodeStart,
  type RecordedEpisode,
  type RecordedTurn,
  type Turn,
} from "../records/index.ts";
import { numberOrNullOf, textOf, type Database } from "./database.ts";
import { EpisodeRows } from "./episode-rows.ts";
import { PendingRecords } from "./pending-records.ts";
import { storeError } from "./store-errors.ts";
import type { TextTable } from "./text-table.ts";

/** The longest that a record waits for the disk. @unit milliseconds */
export const groupCommitMs = 100;

/** Forcing a commit to the disk takes about the same however much is in it: then the disk rests this many times as long. */
const restFactor = 3;

/**
 * What a turn takes in the database beside its ids, log-probabilities, text and parsed value, and what
 * an episode takes beside its task and outcome. Measured by the test of this file; growth is linear.
 *
 * @unit bytes
 */
export const turnBytes = 73;
/** See `turnBytes`. @unit bytes */
export const episodeBytes = 116;

interface Waiter {
  readonly resolve: () => void;
  readonly reject: (error: unknown) => void;
}

export class EpisodeJournal {
  readonly #database: Database;
  readonly #texts: TextTable;
  readonly #clock: Clock;
  readonly #rows: EpisodeRows;
  /** Row numbers of the episodes that are under way. */
  readonly #open = new Map<string, number>();
  #nextRow: number;
  #pending = new PendingRecords();
  #waiters: Waiter[] = [];
  #timer: NodeJS.Timeout | null = null;
  #timerDueMs = 0;
  #isSoon = false;
  /** The disk rests until then, unless a record has waited for long. */
  #restsUntilMs = 0;
  #failure: { readonly error: unknown } | null = null;

  constructor(database: Database, texts: TextTable, clock: Clock = systemClock) {
    this.#database = database;
    this.#clock = clock;
    this.#texts = texts;
    this.#rows = new EpisodeRows(database, texts);
    this.#nextRow =
      (numberOrNullOf(database.first("SELECT max(id) AS last FROM episodes") ?? {}, "last") ?? 0) + 1;
  }

  /** Begins an episode, or goes on with one that was found unfinished. */
  start(start: EpisodeStart): void {
    const row = this.#nextRow++;
    this.#waiting().starts.push({ row, start });
    this.#open.set(start.id, row);
  }

  /** Replies to one ask. */
  turns(turns: readonly Turn[], ask: string, elapsedMs: number): void {
    const pending = this.#waiting();
    for (const turn of turns) pending.turns.push({ row: this.#rowOf(turn.episodeId), turn, ask, elapsedMs });
  }

  call(call: Call, elapsedMs: number): void {
    this.#waiting().calls.push({ row: this.#rowOf(call.episodeId), call, elapsedMs });
  }

  /** An ask or call that the time limit turned down. */
  refuse(episodeId: string, sequence: number, elapsedMs: number): void {
    this.#waiting().refusals.push({ row: this.#rowOf(episodeId), sequence, elapsedMs });
  }

  /** Ends an episode; resolves when it is on the disk. */
  async end(episodeId: string, end: EpisodeEnd): Promise<void> {
    this.#waiting().ends.push({ row: this.#rowOf(episodeId), end });
    this.#open.delete(episodeId);
    await new Promise<void>((resolve, reject) => {
      this.#waiters.push({ resolve, reject });
      this.#flushSoon();
    });
  }

  /** The record of an episode from an earlier try of its step, which can then be gone on with. */
  find(episodeId: string): RecordedEpisode | null {
    this.flush();
    const found = this.#rows.find(episodeId);
    if (found === null) return null;
    if (found.episode.end === null) this.#open.set(episodeId, found.row);
    return found.episode;
  }

  /** Sets records aside that no longer count, such as those of other weights; they stay readable. */
  setAside(episodeIds: readonly string[]): void {
    this.flush();
    this.#database.transaction(() => {
      for (const id of episodeIds) {
        this.#open.delete(id);
        this.#database.run("UPDATE episodes SET superseded = 1 WHERE key = ? AND superseded = 0", id);
      }
    });
  }

  /** Whether a step has episodes from an earlier try. */
  hasEpisodes(stepName: string): boolean {
    this.flush();
    const step = this.#texts.find(stepName);
    const sql = "SELECT id FROM episodes WHERE step = ? AND superseded = 0 LIMIT 1";
    return step !== null && this.#database.first(sql, step) !== null;
  }

  /** The ids of a step's episodes that count, in the order in which they began. */
  idsOf(stepName: string): string[] {
    this.flush();
    const step = this.#texts.find(stepName);
    const sql = "SELECT key FROM episodes WHERE step = ? AND superseded = 0 ORDER BY id";
    return step === null ? [] : this.#database.all(sql, step).map((row) => textOf(row, "key"));
  }

  /** Turns of a step by play, number of the episode and order of its game, whenever they were played. */
  turnsOf(stepName: string): RecordedTurn[] {
    this.flush();
    const step = this.#texts.find(stepName);
    if (step === null) return [];
    const rows = this.#database.all("SELECT * FROM episodes WHERE step = ? AND superseded = 0", step);
    const episodes = rows
      .map((row) => this.#rows.read(row))
      .toSorted((a, b) => compareEpisodeIds(a.start.id, b.start.id));
    return episodes.flatMap(({ turns }) => [...turns]);
  }

  /** Writes everything that waits, now. Inside another transaction of the writer, use `write`. */
  flush(): void {
    if (this.#failure !== null) throw this.#failure.error;
    if (this.#pending.isEmpty) return this.#settle();
    let writtenMs = 0;
    try {
      this.#database.transaction(() => {
        this.write();
        writtenMs = this.#clock.monotonicMs();
      });
    } catch (thrown) {
      // Numbers of strings that were made inside are gone with the transaction.
      this.#texts.forget();
      throw thrown;
    }
    const endMs = this.#clock.monotonicMs();
    this.#restsUntilMs = endMs + restFactor * (endMs - writtenMs);
    this.written();
  }

  /** The rows that wait, as part of a transaction that the caller opened; then `written`. */
  write(): void {
    if (this.#failure !== null) throw this.#failure.error;
    try {
      // Episodes first: the other rows name them.
      const { starts, turns, calls, refusals, ends } = this.#pending;
      for (const { row, start } of starts) this.#rows.insertStart(row, start);
      this.#rows.insertTurns(turns);
      for (const call of calls) this.#rows.insertCall(call.row, call);
      for (const refusal of refusals) this.#rows.insertRefusal(refusal.row, refusal);
      for (const { row, end } of ends) this.#rows.setEnd(row, end);
    } catch (thrown) {
      this.#fail(thrown);
      throw thrown;
    }
  }

  /** Says that the transaction around `write` is on the disk. */
  written(): void {
    this.#pending = new PendingRecords();
    this.#settle();
  }

  /** Stops the timer and refuses what still waits; after the last flush. */
  close(): void {
    this.#fail(storeError("run-closed", "expected an open run, it was closed"));
  }

  #rowOf(episodeId: string): number {
    const row = this.#open.get(episodeId);
    if (row === undefined)
      throw storeError("record-unknown", `expected an episode under way, ${episodeId} is none`);
    return row;
  }

  /** Where records wait for the disk, for at most so long. */
  #waiting(): PendingRecords {
    if (this.#failure !== null) throw this.#failure.error;
    if (this.#timer === null) this.#flushWithin(groupCommitMs);
    return this.#pending;
  }

  /**
   * At the end of this turn of the event loop, so that episodes that finish together share a commit;
   * where the disk was busy just now, when it has rested.
   */
  #flushSoon(): void {
    if (this.#isSoon) return;
    const restMs = this.#restsUntilMs - this.#clock.monotonicMs();
    if (restMs > 1) return this.#flushWithin(Math.min(restMs, groupCommitMs));
    this.#isSoon = true;
    setImmediate(() => {
      this.#isSoon = false;
      this.#flushQuietly();
    });
  }

  #flushWithin(delayMs: number): void {
    const dueMs = this.#clock.monotonicMs() + delayMs;
    if (this.#timer !== null && this.#timerDueMs <= dueMs) return;
    this.#stopTimer();
    this.#timerDueMs = dueMs;
    this.#timer = setTimeout(() => this.#flushQuietly(), delayMs);
  }

  #flushQuietly(): void {
    if (this.#failure !== null) return;
    try {
      this.flush();
    } catch (thrown) {
      // Whoever waits is told now, whoever comes next by `#failure`.
      this.#fail(thrown);
    }
  }

  #settle(): void {
    this.#stopTimer();
    const waiters = this.#waiters;
    this.#waiters = [];
    for (const waiter of waiters) waiter.resolve();
  }

  #fail(error: unknown): void {
    this.#failure ??= { error };
    this.#texts.forget();
    this.#stopTimer();
    const waiters = this.#waiters;
    this.#waiters = [];
    for (const waiter of waiters) waiter.reject(this.#failure.error);
  }

  #stopTimer(): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
  }
}
