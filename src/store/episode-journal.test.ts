import { rmSync, statSync } from "node:fs";
import { join } from "node:path";
import { afterAll, afterEach, expect, test, vi } from "vitest";
import { isSparError } from "../base/index.ts";
import { expectCode } from "../testing/index.ts";
import {
  episodeStart,
  manifest,
  nothingAttached,
  stepCommit,
  stillClock,
  temporaryFolder,
  turnOf,
} from "../../test/fixtures/durability/records.ts";
import { Database } from "./database.ts";
import { EpisodeJournal, episodeBytes, groupCommitMs, turnBytes } from "./episode-journal.ts";
import { openRunReader } from "./run-reader.ts";
import { RunStore } from "./run-store.ts";
import { createTables } from "./tables.ts";
import { TextTable } from "./text-table.ts";

const root = temporaryFolder();
afterAll(() => rmSync(root, { recursive: true, force: true }));
afterEach(() => void vi.useRealTimers());

const create = (name: string): RunStore => RunStore.create(join(root, name), manifest, stillClock);

function turnCount(name: string): number {
  using reader = openRunReader(join(root, name));
  return [...reader.episodes()].reduce((sum, episode) => sum + episode.turnCount, 0);
}

test("a turn is on the disk at most 100 ms after it was handed over", () => {
  vi.useFakeTimers();
  const store = create("timer");
  store.episodes.start(episodeStart("a"));
  store.episodes.turns([turnOf("a", 0)], "ask", 1);
  vi.advanceTimersByTime(groupCommitMs - 1);
  expect(turnCount("timer")).toBe(0);
  vi.advanceTimersByTime(1);
  expect(turnCount("timer")).toBe(1);
  store.close();
});

test("an episode counts as finished once it is on the disk, and not before", async () => {
  const store = create("end");
  store.episodes.start(episodeStart("a"));
  store.episodes.turns([turnOf("a", 0), turnOf("a", 0, { siblingIndex: 1 })], "ask", 1);
  const ended = store.episodes.end("a", { kind: "finished", outcome: null });
  expect(turnCount("end")).toBe(0);
  await ended;
  expect(turnCount("end")).toBe(2);
  store.close();
});

test("a commit of a step takes along what waits", () => {
  const store = create("commit");
  store.episodes.start(episodeStart("a"));
  store.episodes.turns([turnOf("a", 0)], "ask", 1);
  store.commit(stepCommit(0), nothingAttached);
  expect(turnCount("commit")).toBe(1);
  store.close();
});

test("an unfinished episode is found with all that was recorded, and goes on in the same record", async () => {
  const folder = join(root, "go-on");
  const first = create("go-on");
  first.episodes.start(episodeStart("a"));
  first.episodes.turns([turnOf("a", 0)], "digest", 12.5);
  first.episodes.call(
    {
      id: "a:1",
      episodeId: "a",
      sequence: 1,
      service: "double",
      input: [1],
      output: 2,
      failure: null,
      durationMs: 1,
    },
    20,
  );
  first.episodes.refuse("a", 2, 30);
  first.close();
  const second = RunStore.open(folder, stillClock);
  expect(second.episodes.hasEpisodes("play")).toBe(true);
  expect(second.episodes.hasEpisodes("other")).toBe(false);
  const found = second.episodes.find("a");
  expect(found).toMatchObject({
    end: null,
    start: episodeStart("a"),
    turns: [{ ask: "digest", elapsedMs: 12.5, turn: turnOf("a", 0) }],
    calls: [{ call: { service: "double", input: [1], output: 2 } }],
    refusals: [{ sequence: 2, elapsedMs: 30 }],
  });
  second.episodes.turns(
    [turnOf("a", 3, { contextParent: "a:0.0", parsed: { kind: "other" } })],
    "digest",
    40,
  );
  await second.episodes.end("a", { kind: "finished", outcome: "done" });
  expect(second.episodes.turnsOf("play").map(({ turn }) => turn.sequence)).toEqual([0, 3]);
  expect(second.episodes.turnsOf("play")[1]?.turn).toMatchObject({
    contextParent: "a:0.0",
    parsed: { kind: "other" },
  });
  second.close();
});

test("records that are set aside no longer count, and their id is free again", async () => {
  const store = create("aside");
  store.episodes.start(episodeStart("a"));
  store.episodes.turns([turnOf("a", 0)], "ask", 1);
  await store.episodes.end("a", { kind: "finished", outcome: 1 });
  store.episodes.setAside(["a"]);
  expect(store.episodes.find("a")).toBeNull();
  store.episodes.start(episodeStart("a"));
  await store.episodes.end("a", { kind: "finished", outcome: 2 });
  expect(store.episodes.find("a")?.end).toEqual({ kind: "finished", outcome: 2 });
  store.close();
});

test("texts come back as they were: none, control characters, a megabyte, and any number of turns at once", () => {
  const store = create("texts");
  store.episodes.start(episodeStart("a"));
  const texts = ["", "\u0000\u0007\u001B[31m\r\n\u2028\uFEFF", "x".repeat(1_000_000)];
  for (let index = 0; index < 40; index++) texts.push(`turn ${index}`);
  texts.forEach((text, sequence) =>
    store.episodes.turns([turnOf("a", sequence, { text, parsed: { text } })], "ask", 1),
  );
  store.close();
  const again = RunStore.open(join(root, "texts"), stillClock);
  const found = again.episodes.turnsOf("play").map(({ turn }) => turn);
  expect(found.map(({ text }) => text)).toEqual(texts);
  expect(found.map(({ parsed }) => parsed)).toEqual(texts.map((text) => ({ text })));
  again.close();
});

test("ends that come right after a commit wait until the disk has rested, and no longer than others", async () => {
  const database = Database.openForWriting(join(root, "rest.sqlite"));
  createTables(database);
  // A disk on which each commit takes 20 ms.
  let nowMs = 0;
  const clock = { nowMs: () => 0, monotonicMs: () => nowMs };
  const commit = database.transaction.bind(database);
  const commits = vi.spyOn(database, "transaction").mockImplementation((body) => {
    const result = commit(body);
    nowMs += 20;
    return result;
  });
  const journal = new EpisodeJournal(database, new TextTable(database), clock);
  vi.useFakeTimers();
  const finish = (id: string): void => {
    journal.start(episodeStart(id));
    void journal.end(id, { kind: "finished", outcome: null });
  };
  finish("a");
  await vi.advanceTimersByTimeAsync(1);
  expect(commits, "the first goes at once").toHaveBeenCalledTimes(1);
  for (const id of ["b", "c", "d"]) {
    finish(id);
    await vi.advanceTimersByTimeAsync(10);
  }
  expect(commits).toHaveBeenCalledTimes(1);
  await vi.advanceTimersByTimeAsync(31);
  expect(commits, "those that came meanwhile share one").toHaveBeenCalledTimes(2);
  database.close();
});

test("a full disk is told to whoever waits and to whoever comes next, and what was committed stays", async () => {
  const path = join(root, "full.sqlite");
  const database = Database.openForWriting(path);
  createTables(database);
  const journal = new EpisodeJournal(database, new TextTable(database));
  journal.start(episodeStart("a"));
  await journal.end("a", { kind: "finished", outcome: 1 });
  database.execute("PRAGMA max_page_count = 40");
  journal.start(episodeStart("b"));
  journal.turns([turnOf("b", 0, { text: "x".repeat(1_000_000) })], "ask", 1);
  await expectCode(journal.end("b", { kind: "finished", outcome: 2 }), "disk-full");
  await expectCode(
    Promise.resolve().then(() => journal.start(episodeStart("c"))),
    "disk-full",
  );
  database.close();
  const reader = Database.openForReading(path);
  expect(reader.all("SELECT key FROM episodes").map((row) => row["key"])).toEqual(["a"]);
  reader.close();
});

test("strings of a group whose commit failed are stored again with the next", () => {
  const database = Database.openForWriting(join(root, "rolled-back.sqlite"));
  createTables(database);
  const journal = new EpisodeJournal(database, new TextTable(database));
  journal.start(episodeStart("a", "a step of its own"));
  journal.turns([turnOf("a", 0)], "ask", 1);
  // The rows went in, then the disk had no room for the commit.
  vi.spyOn(database, "transaction").mockImplementationOnce((body) => {
    database.execute("BEGIN IMMEDIATE");
    body();
    database.execute("ROLLBACK");
    throw new Error("no room");
  });
  expect(() => journal.flush()).toThrow("no room");
  journal.flush();
  expect(journal.turnsOf("a step of its own")).toHaveLength(1);
  database.close();
});

test("a closed run takes no more records", async () => {
  const store = create("closed");
  store.close();
  store.close();
  const thrown = await Promise.resolve()
    .then(() => store.episodes.start(episodeStart("a")))
    .catch((error: unknown) => error);
  expect(isSparError(thrown) && thrown.code).toBe("run-closed");
});

/** Plays 500 episodes of 4 turns and gives the size of the database afterwards. */
async function grow(batch: number): Promise<number> {
  const folder = join(root, "growth");
  const store = batch === 0 ? create("growth") : RunStore.open(folder, stillClock);
  for (let index = 0; index < 500; index++) {
    const id = `play/episodes#${batch * 500 + index}`;
    store.episodes.start(episodeStart(id));
    for (let sequence = 0; sequence < 4; sequence++) {
      // Seeds and times as they are, not as they are easily written.
      const sampling = { temperature: 1, topP: 1, topK: 0, maxTokens: 8, seed: 2 ** 31 - 1 - index };
      const turn = turnOf(id, sequence, { text: "7", parsed: 7, sampling, durationMs: 41.123456789 });
      store.episodes.turns([turn], "0123456789abcdef", 4123.987654321);
    }
    void store.episodes.end(id, { kind: "finished", outcome: null });
  }
  store.commit(stepCommit(batch), nothingAttached);
  store.close();
  return statSync(join(folder, "run.sqlite")).size;
}

test("a turn takes the stated bytes beside its ids, log-probabilities and texts, at the end as at the beginning", async () => {
  const sizes = [await grow(0), await grow(1), await grow(2), await grow(3)];
  const growth = sizes.slice(1).map((size, batch) => (size - (sizes[batch] ?? 0)) / 2000);
  for (const bytesPerTurn of growth) {
    // 5 ids in 13 bytes with their spans, 2 log-probabilities, 1 letter of text, 1 of what was parsed.
    // An episode has a task of 12 letters and an outcome of 33.
    const overhead = bytesPerTurn - (episodeBytes + 12 + 33) / 4 - (13 + 8 + 2);
    expect(overhead).toBeGreaterThan(turnBytes * 0.8);
    expect(overhead).toBeLessThan(turnBytes * 1.1);
  }
});
