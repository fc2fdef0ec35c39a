/**
 * JSON Lines as a stream: one record per line, blank lines between them allowed, a line at a time in
 * memory. Says in which line a file is broken, and how.
 */
import { isUtf8 } from "node:buffer";
import type { z } from "zod";
import type { ByteSource } from "./byte-source.ts";
import { arrayHint, checkRecord, type RecordPlace } from "./check-record.ts";
import { dataError, showValue } from "./data-error.ts";

export interface JsonlLimits {
  /** A file without line ends must not fill the memory. Default 64 MiB. */
  readonly maxLineBytes?: number;
}

/**
 * The records of a source in their order.
 *
 * @throws `data-empty`, `data-not-text` (binary, compressed or not UTF-8), `data-bad-json`,
 * `data-truncated` (the last line ends in the middle), `data-line-too-long`, `data-bad-record`
 */
export async function* readJsonl<Schema extends z.ZodType>(
  source: ByteSource,
  schema: Schema,
  { maxLineBytes = 64 * 2 ** 20 }: JsonlLimits = {},
): AsyncGenerator<z.output<Schema>> {
  const { name: file } = source;
  let isEmpty = true;
  for await (const { bytes, line, isEnded } of splitLines(source, maxLineBytes)) {
    const text = decodeLine(bytes, { file, line });
    if (text.trim() === "") continue;
    isEmpty = false;
    yield checkRecord(parseLine(text, { file, line, isEnded }), schema, { file, line });
  }
  if (isEmpty) {
    throw dataError("data-empty", "expected one JSON record per line, found none", {
      file,
      hint: "check that the file was written to its end",
    });
  }
}

interface Line {
  readonly bytes: Uint8Array;
  /** From 1. */
  readonly line: number;
  /** False for a last line without a line end. */
  readonly isEnded: boolean;
}

async function* splitLines(source: ByteSource, maxLineBytes: number): AsyncGenerator<Line> {
  const lineEnd = 0x0a;
  let line = 1;
  let pending: Uint8Array[] = [];
  let pendingBytes = 0;
  for await (const bytes of source.stream()) {
    if (line === 1 && pendingBytes === 0) refuseOtherFormats(bytes, source.name);
    let start = 0;
    for (;;) {
      const end = bytes.indexOf(lineEnd, start);
      const part = end < 0 ? bytes.subarray(start) : bytes.subarray(start, end);
      pending.push(part);
      pendingBytes += part.length;
      if (pendingBytes > maxLineBytes) throw lineTooLong(source.name, line, maxLineBytes);
      if (end < 0) break;
      yield { bytes: join(pending), line, isEnded: true };
      line += 1;
      pending = [];
      pendingBytes = 0;
      start = end + 1;
    }
  }
  if (pendingBytes > 0) yield { bytes: join(pending), line, isEnded: false };
}

function join(parts: readonly Uint8Array[]): Uint8Array {
  const [only] = parts;
  return parts.length === 1 && only !== undefined ? only : Buffer.concat(parts);
}

const signatures: readonly {
  readonly bytes: readonly number[];
  readonly what: string;
  readonly hint: string;
}[] = [
  { bytes: [0x1f, 0x8b], what: "a gzip archive", hint: "unpack it with gunzip first" },
  { bytes: [0x28, 0xb5, 0x2f, 0xfd], what: "a zstd archive", hint: "unpack it with unzstd first" },
  { bytes: [0x50, 0x4b, 0x03, 0x04], what: "a zip archive", hint: "unpack it with unzip first" },
  { bytes: [0x50, 0x41, 0x52, 0x31], what: "a parquet file", hint: "give it the ending .parquet" },
  { bytes: [0xff, 0xfe], what: "UTF-16 text", hint: "convert it with iconv -f UTF-16 -t UTF-8" },
  { bytes: [0xfe, 0xff], what: "UTF-16 text", hint: "convert it with iconv -f UTF-16 -t UTF-8" },
];

function refuseOtherFormats(bytes: Uint8Array, file: string): void {
  const found = signatures.find((signature) => signature.bytes.every((byte, index) => bytes[index] === byte));
  if (found === undefined) return;
  throw dataError("data-not-text", `expected JSON records as UTF-8 text, found ${found.what}`, {
    file,
    hint: found.hint,
  });
}

function decodeLine(bytes: Uint8Array, place: { readonly file: string; readonly line: number }): string {
  const notText = (what: string): Error =>
    dataError("data-not-text", `expected JSON records as UTF-8 text, found ${what}`, {
      ...place,
      hint: "convert the file to UTF-8 (iconv -t UTF-8), or name the file that was meant",
    });
  if (bytes.includes(0)) throw notText("a NUL byte");
  if (!isUtf8(bytes)) throw notText("bytes that are not UTF-8");
  // The decoder leaves out a byte order mark at the start of the file.
  return new TextDecoder("utf-8", { ignoreBOM: place.line !== 1 }).decode(bytes);
}

function parseLine(text: string, place: RecordPlace & { readonly isEnded: boolean }): unknown {
  const { file, line, isEnded } = place;
  try {
    return JSON.parse(text);
  } catch (thrown) {
    if (text.trimEnd().includes("\r")) {
      throw dataError(
        "data-bad-json",
        "expected one JSON record per line, found lines that end in CR alone",
        {
          file,
          line,
          hint: `write line feeds instead: tr '\\r' '\\n' < ${JSON.stringify(file)} > converted.jsonl`,
          cause: thrown,
        },
      );
    }
    if (!isEnded && text.trimStart().startsWith("{")) {
      throw dataError("data-truncated", `the last record ends in the middle: ${showValue(tail(text))}`, {
        file,
        line,
        hint: "get the file again, or delete its last line",
        cause: thrown,
      });
    }
    const isArray = line === 1 && text.trimStart().startsWith("[");
    throw dataError("data-bad-json", `expected one JSON record, got ${showValue(text)}`, {
      file,
      line,
      hint: isArray ? arrayHint : "correct the line or delete it",
      cause: thrown,
    });
  }
}

function tail(text: string): string {
  return text.slice(-40);
}

function lineTooLong(file: string, line: number, maxLineBytes: number): Error {
  return dataError("data-line-too-long", `a line may have ${maxLineBytes} bytes, this one has more`, {
    file,
    line,
    hint: "put one JSON record per line",
  });
}
