/**
 * Promise 5: a run that was killed and resumed equals one that never stopped, bit for bit on a
 * deterministic engine: result, transcripts, verdicts and rewards, metrics, reports, weights.
 */
import { spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { createRandom } from "../../src/base/index.ts";
import { openRunReader } from "../../src/store/index.ts";

const program = join(import.meta.dirname, "../fixtures/durability/run-small.ts");
const root = mkdtempSync(join(tmpdir(), "spar-kill-"));
const stepCount = 10;
const callCount = 45;

function runSmall(
  folder: string,
  every: number,
  killAt = "",
  engine = "fake",
): { readonly signal: string | null; readonly output: string } {
  const { signal, stdout, stderr, status } = spawnSync(
    process.execPath,
    ["--conditions=source", program, folder, String(every), killAt, engine],
    {
      encoding: "utf8",
      timeout: 60_000,
    },
  );
  if (signal === null && status !== 0) throw new Error(stderr);
  return { signal, output: stdout };
}

/** Everything that a run keeps, timings aside. */
function contentOf(folder: string): unknown {
  using reader = openRunReader(folder);
  const episodes = [...reader.episodes()].map(({ start, end }) => {
    const { turns, calls: served } = reader.episode(start.id);
    return {
      start,
      end,
      turns: turns.map(({ turn }) => ({ ...turn, logprobs: [...turn.logprobs], durationMs: 0 })),
      calls: served.map(({ call }) => ({ ...call, durationMs: 0 })),
      annotations: reader.annotations(start.id),
    };
  });
  const saved = [...reader.steps()].flatMap(
    (step) => JSON.parse(JSON.stringify(step.effects)).saved.policy ?? [],
  );
  const last = reader.checkpoint(String(saved.at(-1)));
  return {
    status: reader.status(),
    result: reader.result(),
    steps: [...reader.steps()].map(({ position, name, kind, result }) => ({ position, name, kind, result })),
    episodes: episodes.toSorted((a, b) => (a.start.id < b.start.id ? -1 : 1)),
    metrics: [...reader.metrics()],
    reports: [...reader.reports()],
    weights: last.files,
  };
}

let uninterrupted: unknown;

beforeAll(() => {
  const folder = join(root, "whole");
  runSmall(folder, 1);
  uninterrupted = contentOf(folder);
});

afterAll(() => rmSync(root, { recursive: true, force: true }));

function expectSameAfterKills(name: string, every: number, kills: readonly string[]): void {
  const folder = join(root, name);
  let killed = 0;
  for (const kill of kills) if (runSmall(folder, every, kill).signal === "SIGKILL") killed++;
  expect(killed, "the run was killed at least once").toBeGreaterThan(0);
  runSmall(folder, every);
  expect(contentOf(folder)).toEqual(uninterrupted);
}

test("a run that is killed at every step boundary equals one that never stopped", () => {
  const boundaries = Array.from({ length: stepCount }, (_value, position) => `end:${position}`);
  expectSameAfterKills("boundaries", 1, ["start:0", ...boundaries]);
}, 60_000);

test("a run that is killed at random moments inside steps equals one that never stopped", () => {
  const random = createRandom(5);
  for (let round = 0; round < 4; round++) {
    expectSameAfterKills(
      `calls-${round}`,
      1,
      Array.from({ length: 2 }, () => `call:${1 + random.integer(callCount)}`),
    );
  }
}, 60_000);

test("a run that is killed at any time at all equals one that never stopped", () => {
  const random = createRandom(8);
  const folder = join(root, "any-time");
  let killed = 0;
  for (let round = 0; round < 5; round++) {
    const { signal } = spawnSync(process.execPath, ["--conditions=source", program, folder, "1"], {
      timeout: 250 + random.integer(250),
      killSignal: "SIGKILL",
    });
    if (signal === "SIGKILL") killed++;
  }
  expect(killed, "the run was killed at least once").toBeGreaterThan(0);
  // Killed before there was a run, or not: the last process begins or resumes it.
  if (!existsSync(join(folder, "run.json"))) rmSync(folder, { recursive: true, force: true });
  runSmall(folder, 1);
  expect(contentOf(folder)).toEqual(uninterrupted);
}, 60_000);

test("steps after the last save are repeated, and then equal those of a run that never stopped", () => {
  expectSameAfterKills("seldom", 3, ["end:2", "end:4", "call:30", "end:8"]);
}, 60_000);

test("the same holds on the embedded engine, weights bit for bit", () => {
  const whole = join(root, "embedded-whole");
  runSmall(whole, 1, "", "embedded");
  const folder = join(root, "embedded");
  for (const kill of ["end:2", "end:6"]) expect(runSmall(folder, 1, kill, "embedded").signal).toBe("SIGKILL");
  runSmall(folder, 1, "", "embedded");
  expect(contentOf(folder)).toEqual(contentOf(whole));
}, 120_000);
