/** Parquet files row group by row group, only the columns that a schema names. Every codec of the format. */
import { parquetMetadataAsync, parquetReadObjects, type AsyncBuffer, type FileMetaData } from "hyparquet";
import { compressors } from "hyparquet-compressors";
import { z } from "zod";
import { isSparError, messageOf } from "../base/index.ts";
import type { ByteSource } from "./byte-source.ts";
import { checkRecord } from "./check-record.ts";
import { dataError } from "./data-error.ts";

/**
 * The rows of a source in their order, as plain records.
 *
 * @throws `data-empty`, `data-truncated`, `data-bad-parquet`, `data-missing-column`, `data-bad-record`
 */
export async function* readParquet<Schema extends z.ZodType>(
  source: ByteSource,
  schema: Schema,
): AsyncGenerator<z.output<Schema>> {
  const { name: file } = source;
  const buffer: AsyncBuffer = {
    byteLength: source.byteLength,
    slice: (start, end) => source.slice(start, end ?? source.byteLength),
  };
  if (source.byteLength === 0) throw emptyFile(file);
  const metadata = await orBadParquet(source, () => parquetMetadataAsync(buffer));
  if (metadata.num_rows === 0n) throw emptyFile(file);
  const columns = neededColumns(metadata, schema, file);
  let rowStart = 0;
  for (const group of metadata.row_groups) {
    const rowEnd = rowStart + Number(group.num_rows);
    const start = rowStart;
    const rows = await orBadParquet(source, () =>
      parquetReadObjects({ file: buffer, metadata, columns, rowStart: start, rowEnd, compressors }),
    );
    for (const [offset, row] of rows.entries()) {
      yield checkRecord(toPlain(row), schema, { file, line: start + offset + 1 });
    }
    rowStart = rowEnd;
  }
}

function neededColumns(metadata: FileMetaData, schema: z.ZodType, file: string): string[] {
  const present = topLevelColumns(metadata);
  if (!(schema instanceof z.ZodObject)) return present;
  const shape: Readonly<Record<string, unknown>> = schema.shape;
  for (const [name, field] of Object.entries(shape)) {
    const isOptional = field instanceof z.ZodType && field.safeParse(undefined).success;
    if (present.includes(name) || isOptional) continue;
    throw dataError("data-missing-column", `expected a column ${name}`, {
      file,
      hint: `the file has the columns ${present.join(", ")}; rename one, or name another file`,
      facts: { field: name },
    });
  }
  const needed = present.filter((name) => name in shape);
  if (needed.length > 0) return needed;
  throw dataError("data-missing-column", `expected one of the columns ${Object.keys(shape).join(", ")}`, {
    file,
    hint: `the file has the columns ${present.join(", ")}; rename one, or name another file`,
  });
}

/** The schema is a tree written depth first; the children of its root are the columns. */
function topLevelColumns(metadata: FileMetaData): string[] {
  const columns: string[] = [];
  let position = 1;
  const skipSubtree = (): void => {
    const children = metadata.schema[position]?.num_children ?? 0;
    position += 1;
    for (let child = 0; child < children; child++) skipSubtree();
  };
  while (position < metadata.schema.length) {
    columns.push(metadata.schema[position]?.name ?? "");
    skipSubtree();
  }
  return columns;
}

/** Whole numbers of 64 bits as numbers where they fit, everything else as it is. */
function toPlain(value: unknown): unknown {
  if (typeof value === "bigint") return Number.isSafeInteger(Number(value)) ? Number(value) : value;
  if (Array.isArray(value)) return value.map(toPlain);
  if (value !== null && typeof value === "object" && Object.getPrototypeOf(value) === Object.prototype) {
    return Object.fromEntries(Object.entries(value).map(([key, member]) => [key, toPlain(member)]));
  }
  return value;
}

async function orBadParquet<Result>(source: ByteSource, read: () => Promise<Result>): Promise<Result> {
  try {
    return await read();
  } catch (thrown) {
    if (isSparError(thrown)) throw thrown;
    throw await damage(source, thrown);
  }
}

const magic = "PAR1";

/** What is wrong with a file that the library cannot read: it begins and ends with four known letters. */
async function damage(source: ByteSource, cause: unknown): Promise<Error> {
  const { name: file, byteLength } = source;
  const textAt = async (start: number): Promise<string> =>
    new TextDecoder().decode(await source.slice(start, Math.min(byteLength, start + magic.length)));
  const start = await textAt(0);
  if (start !== magic) {
    return dataError(
      "data-bad-parquet",
      `expected a parquet file, found one that begins ${JSON.stringify(start)}`,
      {
        file,
        hint: start.startsWith("{")
          ? "it looks like JSON records: give it the ending .jsonl"
          : "check that it is the file that was meant, and get it again where it is",
        cause,
      },
    );
  }
  if ((await textAt(Math.max(0, byteLength - magic.length))) !== magic) {
    return dataError("data-truncated", "the end of the parquet file is missing", {
      file,
      hint: "get the file again: it was not written or fetched to its end",
      cause,
    });
  }
  return dataError("data-bad-parquet", `the parquet file is damaged inside: ${messageOf(cause)}`, {
    file,
    hint: "get the file again",
    cause,
  });
}

function emptyFile(file: string): Error {
  return dataError("data-empty", "expected rows, found none", {
    file,
    hint: "check that the file was written to its end",
  });
}
