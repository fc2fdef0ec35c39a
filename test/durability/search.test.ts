/**
 * An episode that was interrupted goes on from its record: a search of 200 turns with calls, killed at
 * 20 random moments, ends with the same tree and the same record as one that never stopped.
 */
import { spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { createRandom, type Random } from "../../src/base/index.ts";
import { openRunReader } from "../../src/store/index.ts";

const program = join(import.meta.dirname, "../fixtures/durability/run-search.ts");
const root = mkdtempSync(join(tmpdir(), "spar-search-"));
afterAll(() => rmSync(root, { recursive: true, force: true }));

const turnCount = 200;
const callCount = 50;
/** Replies to siblings come together, so a search has this many answers. */
const answerCount = 2 * callCount;

interface Ended {
  readonly result: unknown;
  /** Answers of player and service that were not in the record. */
  readonly answerCount: number;
}

/** Null where it was killed. */
function runSearch(
  folder: string,
  more: { readonly lives?: number; readonly timeoutMs?: number } = {},
): Ended | null {
  const args = ["--conditions=source", program, folder, String(more.lives ?? "")];
  const options = {
    encoding: "utf8" as const,
    timeout: more.timeoutMs ?? 60_000,
    killSignal: "SIGKILL" as const,
  };
  const { signal, stdout, stderr, status } = spawnSync(process.execPath, args, options);
  if (signal === "SIGKILL") return null;
  if (status !== 0) throw new Error(stderr);
  return JSON.parse(stdout) as Ended;
}

interface SearchRecord {
  readonly turns: readonly unknown[];
  readonly calls: readonly unknown[];
  readonly about: readonly unknown[];
}

/** The record of the search, timings aside. */
function recordOf(folder: string): SearchRecord {
  using reader = openRunReader(folder);
  const [summary, ...others] = [...reader.episodes()];
  if (summary === undefined) throw new Error("no episode");
  expect(others).toEqual([]);
  const { start, end, turns, calls } = reader.episode(summary.start.id);
  return {
    about: [start, end, reader.result(), reader.status()],
    turns: turns.map(({ turn, ask }) => ({ ...turn, ask, logprobs: [...turn.logprobs], durationMs: 0 })),
    calls: calls.map(({ call }) => ({ ...call, durationMs: 0 })),
  };
}

test("a search that is killed at 20 random moments ends with the same tree and the same record", () => {
  const whole = join(root, "whole");
  const uninterrupted = runSearch(whole);
  expect(uninterrupted?.answerCount).toBe(answerCount);
  const expected = recordOf(whole);
  expect(expected.turns).toHaveLength(turnCount);
  expect(expected.calls).toHaveLength(callCount);

  const random = createRandom(20);
  let killCount = 0;
  let answersFromRecord = 0;
  for (let search = 0; killCount < 20; search++) {
    const folder = join(root, `killed-${search}`);
    let ended: Ended | null = null;
    while (ended === null) {
      ended = runSearch(folder, killCount < 20 ? deathOf(random) : {});
      if (ended === null) killCount++;
      // Killed before there was a run.
      if (!existsSync(join(folder, "run.json"))) rmSync(folder, { recursive: true, force: true });
    }
    answersFromRecord += answerCount - ended.answerCount;
    expect(ended.result).toEqual(uninterrupted?.result);
    expect(recordOf(folder)).toEqual(expected);
  }
  expect(answersFromRecord, "it went on where it was").toBeGreaterThan(0);
}, 240_000);

/** Mostly by its own hand at some answer, at times from outside, wherever it is just then. */
function deathOf(random: Random): { readonly lives?: number; readonly timeoutMs?: number } {
  const isFromOutside = random.integer(4) === 0;
  return isFromOutside ? { timeoutMs: 300 + random.integer(700) } : { lives: 1 + random.integer(40) };
}
