/**
 * The one door to data sets: a path or an address in, checked records out, one at a time. The ending
 * decides the format, the scheme the place.
 */
import type { z } from "zod";
import { suggestName, throwIfAborted } from "../base/index.ts";
import { fileSource, type ByteSource } from "./byte-source.ts";
import { dataError } from "./data-error.ts";
import { listHubFiles } from "./hub-files.ts";
import { hubSource, type HubOptions } from "./hub-source.ts";
import { readJsonl } from "./jsonl-reader.ts";
import { readParquet } from "./parquet-reader.ts";

export interface ReadOptions {
  /** For sources that begin with `hf://`. */
  readonly hub?: HubOptions;
  /** Which files of a data set are read where its address names none. Default `train`. */
  readonly split?: string;
  /** Stop after so many records. */
  readonly limit?: number;
  readonly signal?: AbortSignal;
}

const readers: Readonly<Record<string, typeof readJsonl>> = {
  ".jsonl": readJsonl,
  ".ndjson": readJsonl,
  ".json": readJsonl,
  ".parquet": readParquet,
};

/**
 * The records of a file in their order, each held against the schema; of a data set on the hub whose
 * address names no file, all files of the split. Opens nothing before the first record is asked for.
 *
 * @param source a path, or `hf://owner/name` with or without the path of a file
 * @throws `data-format-unknown` where the ending is none of .jsonl, .ndjson, .json, .parquet, and
 * what sources and readers throw
 */
export async function* readRecords<Schema extends z.ZodType>(
  source: string,
  schema: Schema,
  options: ReadOptions = {},
): AsyncGenerator<z.output<Schema>> {
  const { limit = Number.POSITIVE_INFINITY, signal } = options;
  if (limit <= 0) return;
  let count = 0;
  for (const file of await filesOf(source, options)) {
    for await (const record of readerOf(file)(await openSource(file, options), schema)) {
      throwIfAborted(signal, { boundary: "data", what: `reading ${source}` });
      yield record;
      count += 1;
      if (count >= limit) return;
    }
  }
}

/** All records of a file at once; see `readRecords`. */
export async function loadRecords<Schema extends z.ZodType>(
  source: string,
  schema: Schema,
  options: ReadOptions = {},
): Promise<z.output<Schema>[]> {
  const records: z.output<Schema>[] = [];
  for await (const record of readRecords(source, schema, options)) records.push(record);
  return records;
}

function endingOf(source: string): string {
  const fileName = source.slice(source.lastIndexOf("/") + 1);
  const dot = fileName.lastIndexOf(".");
  return dot < 0 ? "" : fileName.slice(dot).toLowerCase();
}

function readerOf(source: string): typeof readJsonl {
  const ending = endingOf(source);
  const reader = readers[ending];
  if (reader !== undefined) return reader;
  throw dataError(
    "data-format-unknown",
    ending === "" ? "the name has no ending" : `the ending ${ending} is unknown`,
    {
      file: source,
      hint: suggestName(ending, Object.keys(readers)),
    },
  );
}

async function filesOf(source: string, options: ReadOptions): Promise<readonly string[]> {
  const isKnown = (path: string): boolean => endingOf(path) in readers;
  if (!source.startsWith("hf://") || isKnown(source)) return [source];
  return listHubFiles(source, { split: options.split ?? "train", isData: isKnown, hub: hubOptions(options) });
}

async function openSource(source: string, options: ReadOptions): Promise<ByteSource> {
  return source.startsWith("hf://") ? hubSource(source, hubOptions(options)) : fileSource(source);
}

function hubOptions({ hub = {}, signal }: ReadOptions): HubOptions {
  return signal === undefined ? hub : { ...hub, signal };
}
