/**
 * Reads an archive of weights, a tar of plain files, compressed by gzip or not, into a folder. Strict: links, devices and
 * names that leave the folder are refused, and an archive without its end was cut. Knows no server.
 */
import { mkdir, open } from "node:fs/promises";
import { dirname, join } from "node:path";
import { pipeline, Readable } from "node:stream";
import { createGunzip } from "node:zlib";
import { unexpectedAnswer } from "../errors.ts";
import { ByteReader } from "./byte-reader.ts";

const blockBytes = 512;
const mostFiles = 10_000;
/** Of what says more about a file than fits into its header. */
const longestNoteBytes = 1024 * 1024;
/** Of what stands behind the end: blocks are written in tens. */
const longestRestBytes = 1024 * 1024;

export interface UnpackOptions {
  /** For messages. */
  readonly what: string;
  /** Of all files together, unpacked. */
  readonly mostBytes: number;
  readonly signal: AbortSignal;
}

interface Header {
  readonly name: string;
  readonly sizeBytes: number;
  readonly type: string;
}

/** Names of the files, in order. @throws `unexpected-answer`; what was written stays, and is for the caller to remove */
export async function unpackTar(
  archive: AsyncIterable<Uint8Array>,
  folder: string,
  options: UnpackOptions,
): Promise<string[]> {
  const raw = new ByteReader(archive, options.what);
  if (!(await raw.startsWith([0x1f, 0x8b]))) return unpackPlain(raw, folder, options);
  const unzipped = createGunzip();
  // What breaks below is thrown where it is read.
  pipeline(Readable.from(raw.rest()), unzipped, () => undefined);
  try {
    return await unpackPlain(new ByteReader(unzipped, options.what), folder, options);
  } catch (thrown) {
    const isZipped = thrown instanceof Error && "code" in thrown && String(thrown.code).startsWith("Z_");
    throw isZipped ? unexpectedAnswer(options.what, "an archive that is whole", thrown.message) : thrown;
  } finally {
    unzipped.destroy();
  }
}

async function unpackPlain(reader: ByteReader, folder: string, options: UnpackOptions): Promise<string[]> {
  const refuse = (expected: string, came: string): Error => unexpectedAnswer(options.what, expected, came);
  const names: string[] = [];
  let leftBytes = options.mostBytes;
  let noted: Partial<Header> = {};
  for (;;) {
    const block = await reader.take(blockBytes);
    if (block.every((byte) => byte === 0)) break;
    const header = { ...readHeader(block, refuse), ...noted };
    const paddingBytes = (blockBytes - (header.sizeBytes % blockBytes)) % blockBytes;
    if (header.type === "x" || header.type === "L") {
      if (header.sizeBytes > longestNoteBytes) throw refuse("a short name", `${header.sizeBytes} bytes`);
      const note = Buffer.from(await reader.take(header.sizeBytes + paddingBytes)).subarray(
        0,
        header.sizeBytes,
      );
      noted = { ...noted, ...(header.type === "x" ? readNote(note, refuse) : { name: textOf(note) }) };
      continue;
    }
    noted = {};
    leftBytes -= header.sizeBytes;
    if (leftBytes < 0) throw refuse(`at most ${options.mostBytes} bytes of files`, "more");
    if (header.type === "0") {
      const name = checkedName(header.name, refuse);
      if (names.length === mostFiles) throw refuse(`at most ${mostFiles} files`, "more");
      await writeFile(join(folder, name), reader.pieces(header.sizeBytes), options.signal, refuse);
      names.push(name);
    } else if (header.type === "5" || header.type === "g") {
      await skip(reader, header.sizeBytes);
    } else {
      throw refuse("files alone in the archive", `${header.name}, a member of type ${header.type}`);
    }
    await skip(reader, paddingBytes);
  }
  let restBytes = 0;
  for await (const piece of reader.rest()) {
    restBytes += piece.byteLength;
    if (restBytes > longestRestBytes) throw refuse("the end after the last file", "more");
  }
  return names;
}

type Refuse = (expected: string, came: string) => Error;

async function writeFile(
  path: string,
  pieces: AsyncIterable<Uint8Array>,
  signal: AbortSignal,
  refuse: Refuse,
): Promise<void> {
  await mkdir(dirname(path), { recursive: true });
  const file = await open(path, "wx").catch((cause: unknown) => {
    throw cause instanceof Error && "code" in cause && cause.code === "EEXIST"
      ? refuse("each file once", `${path} twice`)
      : cause;
  });
  try {
    for await (const piece of pieces) {
      signal.throwIfAborted();
      await file.writeFile(piece);
    }
    await file.sync();
  } finally {
    await file.close();
  }
}

async function skip(reader: ByteReader, count: number): Promise<void> {
  for await (const piece of reader.pieces(count)) void piece;
}

/** Numbers are octal, or, where they are too large for that, binary. */
function readHeader(block: Uint8Array, refuse: Refuse): Header {
  const bytes = Buffer.from(block);
  const sum = bytes.reduce((total, byte, place) => total + (place >= 148 && place < 156 ? 32 : byte), 0);
  const said = numberOf(bytes.subarray(148, 156));
  if (sum !== said) throw refuse("a tar of files", "something else");
  const type = bytes[156] === 0 ? "0" : String.fromCharCode(bytes[156] ?? 0);
  const isPosix = bytes.subarray(257, 263).toString("latin1") === "ustar\0";
  const prefix = isPosix ? textOf(bytes.subarray(345, 500)) : "";
  const name = textOf(bytes.subarray(0, 100));
  const sizeBytes = numberOf(bytes.subarray(124, 136));
  if (!Number.isSafeInteger(sizeBytes) || sizeBytes < 0)
    throw refuse("the size of a file", `that of ${name}`);
  return { name: prefix === "" ? name : `${prefix}/${name}`, sizeBytes, type };
}

function numberOf(field: Buffer): number {
  if (((field[0] ?? 0) & 0x80) === 0) {
    const digits = textOf(field).trim();
    return /^[0-7]+$/u.test(digits) ? Number.parseInt(digits, 8) : digits === "" ? 0 : Number.NaN;
  }
  return field.subarray(1).reduce((value, byte) => value * 256 + byte, (field[0] ?? 0) & 0x7f);
}

/** Records `LENGTH KEY=VALUE\n` of what did not fit. */
function readNote(note: Buffer, refuse: Refuse): Partial<Header> {
  const found: { name?: string; sizeBytes?: number } = {};
  for (let place = 0; place < note.length;) {
    const space = note.indexOf(" ", place);
    const length = Number(note.subarray(place, space).toString("latin1"));
    if (space < 0 || !Number.isSafeInteger(length) || length <= space - place)
      throw refuse("the name of a file", "a note that cannot be read");
    const [key = "", ...value] = note
      .subarray(space + 1, place + length - 1)
      .toString("utf8")
      .split("=");
    if (key === "path") found.name = value.join("=");
    if (key === "size") found.sizeBytes = Number(value.join("="));
    place += length;
  }
  const { sizeBytes } = found;
  if (sizeBytes !== undefined && (!Number.isSafeInteger(sizeBytes) || sizeBytes < 0))
    throw refuse("the size of a file", "none");
  return found;
}

function textOf(field: Buffer): string {
  const end = field.indexOf(0);
  return field.subarray(0, end < 0 ? field.length : end).toString("utf8");
}

/** Without a leading `./`. A backslash or colon is part of a path on other systems. */
function checkedName(name: string, refuse: Refuse): string {
  const plain = name.replace(/^(?:\.\/)+/u, "");
  const isInside = plain.split("/").every((part) => part !== "" && part !== "." && part !== "..");
  if (!isInside || /[\\:\0]/u.test(plain)) throw refuse("names of files in the folder", JSON.stringify(name));
  return plain;
}
