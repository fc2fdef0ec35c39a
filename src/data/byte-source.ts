/**
 * Where bytes come from: a local file or a file of the hub, read as a stream or by range. Knows no
 * format.
 */
import { createReadStream } from "node:fs";
import { open, stat } from "node:fs/promises";
import { messageOf } from "../base/index.ts";
import { dataError } from "./data-error.ts";

export interface ByteSource {
  /** For messages: the path or address that the user named. */
  readonly name: string;
  readonly byteLength: number;
  stream(): AsyncIterable<Uint8Array>;
  /** The bytes of a range, end excluded. */
  slice(start: number, end: number): Promise<ArrayBuffer>;
}

/**
 * A local file.
 *
 * @throws `data-not-found`, `data-is-folder`, `data-no-file` (a pipe or device, which would be waited for
 * or has no end), `data-unreadable`
 */
export async function fileSource(path: string): Promise<ByteSource> {
  const found = await stat(path).catch((thrown: unknown) => {
    throw fileError(path, thrown);
  });
  if (found.isDirectory()) {
    throw dataError("data-is-folder", "expected a file, found a folder", {
      file: path,
      hint: "name a file in it that ends in .jsonl or .parquet",
    });
  }
  if (!found.isFile()) {
    throw dataError("data-no-file", "expected a file, found a pipe, socket or device", {
      file: path,
      hint: "write the records into a file first: data is read more than once",
    });
  }
  return {
    name: path,
    byteLength: found.size,
    stream: () => readStream(path),
    slice: (start, end) => readRange(path, start, end),
  };
}

async function* readStream(path: string): AsyncGenerator<Uint8Array> {
  const stream: AsyncIterable<Uint8Array> = createReadStream(path);
  try {
    for await (const bytes of stream) yield bytes;
  } catch (thrown) {
    throw fileError(path, thrown);
  }
}

async function readRange(path: string, start: number, end: number): Promise<ArrayBuffer> {
  const bytes = new Uint8Array(end - start);
  try {
    const file = await open(path, "r");
    try {
      let filled = 0;
      while (filled < bytes.length) {
        const { bytesRead } = await file.read(bytes, filled, bytes.length - filled, start + filled);
        if (bytesRead === 0) break;
        filled += bytesRead;
      }
      return bytes.buffer.slice(0, filled);
    } finally {
      await file.close();
    }
  } catch (thrown) {
    throw fileError(path, thrown);
  }
}

function fileError(path: string, thrown: unknown): Error {
  const systemCode = thrown instanceof Error && "code" in thrown ? thrown.code : null;
  if (systemCode === "ENOENT" || systemCode === "ENOTDIR") {
    return dataError("data-not-found", "there is no such file", {
      file: path,
      hint: "check the path",
      cause: thrown,
    });
  }
  return dataError("data-unreadable", `it cannot be read: ${messageOf(thrown)}`, {
    file: path,
    hint: "check that the file may be read",
    cause: thrown,
  });
}
