/**
 * The records of a run as JSONL, one kind per file, so that any tool can read them: steps, metrics,
 * reports, episodes with their turns and calls, annotations. Reads the folder alone.
 */
import { closeSync, mkdirSync, openSync, writeSync } from "node:fs";
import { join } from "node:path";
import type { RunReader } from "../../store/index.ts";

/** Lines written per file, by file name. */
export type RecordCounts = Readonly<Record<string, number>>;

/** Writes into a folder that exists already. */
export function writeRecords(reader: RunReader, folder: string): RecordCounts {
  mkdirSync(folder, { recursive: true });
  return {
    "run.jsonl": writeLines(join(folder, "run.jsonl"), [reader.manifest]),
    "steps.jsonl": writeLines(join(folder, "steps.jsonl"), reader.steps()),
    "metrics.jsonl": writeLines(join(folder, "metrics.jsonl"), reader.metrics()),
    "reports.jsonl": writeLines(join(folder, "reports.jsonl"), reader.reports()),
    "episodes.jsonl": writeLines(join(folder, "episodes.jsonl"), episodesOf(reader)),
  };
}

function* episodesOf(reader: RunReader): Generator<object> {
  for (const { start } of reader.episodes()) {
    const { end, turns, calls } = reader.episode(start.id);
    yield {
      ...start,
      end,
      turns: turns.map(({ turn }) => turn),
      calls: calls.map(({ call }) => call),
      annotations: reader.annotations(start.id),
    };
  }
}

const flushCharacters = 1 << 16;

function writeLines(path: string, records: Iterable<object>): number {
  const file = openSync(path, "wx");
  let count = 0;
  try {
    let waiting = "";
    for (const record of records) {
      waiting += `${JSON.stringify(record, plain)}\n`;
      count++;
      if (waiting.length < flushCharacters) continue;
      writeAll(file, waiting);
      waiting = "";
    }
    writeAll(file, waiting);
  } finally {
    closeSync(file);
  }
  return count;
}

/** A write may take a part only, as on a disk that is nearly full. */
function writeAll(file: number, text: string): void {
  const bytes = Buffer.from(text);
  for (let written = 0; written < bytes.length;) written += writeSync(file, bytes, written);
}

/** Typed arrays become lists; what JSON cannot hold becomes text rather than null. */
function plain(_key: string, value: unknown): unknown {
  if (value instanceof Float32Array) return Array.from(value, (number) => plain("", number));
  return typeof value === "number" && !Number.isFinite(value) ? String(value) : value;
}
