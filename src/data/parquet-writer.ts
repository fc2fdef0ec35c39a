/** Writes rows as a parquet file: texts, numbers and lists of chat messages, compressed with snappy. */
import { rename, rm } from "node:fs/promises";
import { fileWriter, parquetWriteRows, type SchemaElement } from "hyparquet-writer";
import { messageOf } from "../base/index.ts";
import { dataError } from "./data-error.ts";

export interface ParquetColumn {
  readonly name: string;
  /** `messages`: a list of `{content, role}`, as the hub's chat data sets have it. */
  readonly type: "text" | "number" | "messages";
}

export interface WriteParquetOptions {
  readonly columns: readonly ParquetColumn[];
  readonly rows: AsyncIterable<object> | Iterable<object>;
}

/**
 * Writes all rows, beside the path first and moved there when the file is whole. Rows are taken one
 * row group at a time.
 *
 * @throws `data-write-failed`
 */
export async function writeParquet(path: string, options: WriteParquetOptions): Promise<void> {
  const { columns, rows } = options;
  const partial = `${path}.partial`;
  try {
    await parquetWriteRows({
      writer: fileWriter(partial),
      rows: rowsOf(rows),
      columns: columns.map(({ name }) => ({ name })),
      schema: [{ name: "schema", num_children: columns.length }, ...columns.flatMap(columnSchema)],
      rowGroupSize: 1000,
    });
    await rename(partial, path);
  } catch (thrown) {
    await rm(partial, { force: true });
    throw dataError("data-write-failed", `it cannot be written: ${messageOf(thrown)}`, {
      file: path,
      hint: "check that the folder is there, may be written to and has room",
      cause: thrown,
    });
  }
}

async function* rowsOf(rows: WriteParquetOptions["rows"]): AsyncGenerator<Record<string, unknown>> {
  for await (const row of rows) yield { ...row };
}

function columnSchema({ name, type }: ParquetColumn): SchemaElement[] {
  switch (type) {
    case "text":
      return [textElement(name)];
    case "number":
      return [{ name, type: "DOUBLE", repetition_type: "OPTIONAL" }];
    case "messages":
      return [
        { name, repetition_type: "OPTIONAL", num_children: 1, converted_type: "LIST" },
        { name: "list", repetition_type: "REPEATED", num_children: 1 },
        { name: "element", repetition_type: "OPTIONAL", num_children: 2 },
        textElement("content"),
        textElement("role"),
      ];
  }
}

function textElement(name: string): SchemaElement {
  return { name, type: "BYTE_ARRAY", converted_type: "UTF8", repetition_type: "OPTIONAL" };
}
