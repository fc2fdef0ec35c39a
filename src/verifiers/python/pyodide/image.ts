/**
 * The memory of an interpreter that has started and imported what programs use: taken once, written to a file, and put
 * back in milliseconds. Pages of zeros are left out. Knows no requests.
 */
import { hash } from "node:crypto";
import { readFileSync, renameSync, writeFileSync } from "node:fs";
import type { PythonModule } from "./module.ts";

export interface Image {
  /** Of all memory. */
  readonly bytes: number;
  readonly stackPointer: number;
  /** The object that is called with a request. */
  readonly handler: number;
  /** What is not zero, in order. */
  readonly ranges: readonly { readonly start: number; readonly data: Uint8Array }[];
}

interface Header {
  readonly bytes: number;
  readonly stackPointer: number;
  readonly handler: number;
  readonly ranges: readonly (readonly [start: number, bytes: number])[];
  readonly digest: string;
}

const pageBytes = 4096;

export function takeImage(module: PythonModule, handler: number): Image {
  const memory = module.HEAPU8;
  const words = new BigUint64Array(memory.buffer, memory.byteOffset, memory.byteLength >>> 3);
  const ranges: { start: number; data: Uint8Array }[] = [];
  const wordsPerPage = pageBytes >>> 3;
  let start = -1;
  for (let page = 0; page * pageBytes <= memory.length; page++) {
    const end = page * pageBytes;
    const isUsed =
      end < memory.length &&
      words.subarray(page * wordsPerPage, (page + 1) * wordsPerPage).some((word) => word !== 0n);
    if (isUsed && start < 0) start = end;
    if (!isUsed && start >= 0) {
      ranges.push({ start, data: memory.slice(start, end) });
      start = -1;
    }
  }
  return { bytes: memory.length, stackPointer: module.stackSave(), handler, ranges };
}

/** All of memory is as it was, the stack and what had been added with it. */
export function putBack(module: PythonModule, image: Image): void {
  const memory = module.HEAPU8;
  let place = 0;
  for (const { start, data } of image.ranges) {
    memory.fill(0, place, start);
    memory.set(data, start);
    place = start + data.length;
  }
  memory.fill(0, place);
  module.stackRestore(image.stackPointer);
}

/** Whole or not at all. */
export function writeImage(path: string, image: Image): void {
  const body = Buffer.concat(image.ranges.map(({ data }) => data));
  const header: Header = {
    bytes: image.bytes,
    stackPointer: image.stackPointer,
    handler: image.handler,
    ranges: image.ranges.map(({ start, data }) => [start, data.length] as const),
    digest: hash("sha256", body),
  };
  const head = Buffer.from(JSON.stringify(header));
  const length = Buffer.alloc(4);
  length.writeUInt32LE(head.length);
  const unfinished = `${path}.${process.pid}`;
  writeFileSync(unfinished, Buffer.concat([length, head, body]), { mode: 0o600 });
  renameSync(unfinished, path);
}

/** Null where there is none, or what is there is no whole image. */
export function readImage(path: string): Image | null {
  try {
    const file = readFileSync(path);
    const bodyStart = 4 + file.readUInt32LE(0);
    const header = JSON.parse(file.subarray(4, bodyStart).toString("utf8")) as Header;
    const body = file.subarray(bodyStart);
    if (hash("sha256", body) !== header.digest) return null;
    let place = 0;
    const ranges = header.ranges.map(([start, bytes]) => {
      const data = body.subarray(place, place + bytes);
      place += bytes;
      return { start, data };
    });
    return { bytes: header.bytes, stackPointer: header.stackPointer, handler: header.handler, ranges };
  } catch {
    return null;
  }
}
