/**
 * A JSON Lines file that grows over several runs of a program. What a crash left in the middle of a
 * line is cut off, every record that is there is given back, and new ones follow.
 */
import { open, type FileHandle } from "node:fs/promises";
import type { z } from "zod";
import { isSparError, messageOf, SerialQueue } from "../base/index.ts";
import { fileSource } from "./byte-source.ts";
import { dataError } from "./data-error.ts";
import { readJsonl } from "./jsonl-reader.ts";

export interface ResumableFile<Row> {
  /** What was there when the file was opened, in its order. */
  readonly existing: readonly Row[];
  /** Adds whole lines and waits until they are on the disk. @throws `data-write-failed` */
  append(records: readonly Row[]): Promise<void>;
  close(): Promise<void>;
}

/**
 * Opens a file to add to it, or begins it. Only a last line that no line end closes is cut off;
 * damage anywhere else is an error.
 *
 * @throws `data-write-failed`, and what `readRecords` throws about records that are there
 */
export async function openResumable<Schema extends z.ZodType>(
  path: string,
  schema: Schema,
): Promise<ResumableFile<z.output<Schema>>> {
  const file = await orWriteFailed(path, () => open(path, "a+"));
  try {
    await orWriteFailed(path, () => cutUnfinishedLine(file));
    const existing: z.output<Schema>[] = [];
    const { size } = await file.stat();
    if (size > 0) for await (const record of readJsonl(await fileSource(path), schema)) existing.push(record);
    const queue = new SerialQueue();
    return {
      existing,
      append: (records) =>
        queue.add(() =>
          orWriteFailed(path, async () => {
            if (records.length === 0) return;
            await file.appendFile(records.map((record) => `${JSON.stringify(record)}\n`).join(""));
            await file.datasync();
          }),
        ),
      close: () => queue.add(() => file.close()),
    };
  } catch (thrown) {
    await file.close();
    throw thrown;
  }
}

/** Shortens the file to its last line end, reading from the back. */
async function cutUnfinishedLine(file: FileHandle): Promise<void> {
  const block = new Uint8Array(64 * 1024);
  const { size } = await file.stat();
  let end = size;
  while (end > 0) {
    const start = Math.max(0, end - block.length);
    const { bytesRead } = await file.read(block, 0, end - start, start);
    const lineEnd = block.subarray(0, bytesRead).lastIndexOf(0x0a);
    if (lineEnd >= 0) {
      end = start + lineEnd + 1;
      break;
    }
    end = start;
  }
  if (end < size) await file.truncate(end);
}

async function orWriteFailed<Result>(path: string, write: () => Promise<Result>): Promise<Result> {
  try {
    return await write();
  } catch (thrown) {
    if (isSparError(thrown)) throw thrown;
    throw dataError("data-write-failed", `it cannot be written: ${messageOf(thrown)}`, {
      file: path,
      hint: "check that the folder is there, may be written to and has room",
      cause: thrown,
    });
  }
}
