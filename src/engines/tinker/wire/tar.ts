/**
 * Unpacks an archive of weights, a tar of plain files, compressed by gzip or not, into a folder. Strict: links, devices
 * and names that leave the folder are refused, and an archive without its end was cut. Knows no server.
 */
import { mkdir, open } from "node:fs/promises";
import { dirname, join } from "node:path";
import { ReadableStream as NodeStream } from "node:stream/web";
import { createTarDecoder } from "modern-tar";
import { unexpectedAnswer } from "../errors.ts";

const mostFiles = 10_000;

export interface UnpackOptions {
  /** For messages. */
  readonly what: string;
  /** Of all files together, unpacked. */
  readonly mostBytes: number;
  readonly signal: AbortSignal;
}

type Pieces = AsyncIterable<Uint8Array>;
type Refuse = (expected: string, came: string) => Error;

/** Names of the files, in order. @throws `unexpected-answer`; what was written stays, and is for the caller to remove */
export async function unpackTar(archive: Pieces, folder: string, options: UnpackOptions): Promise<string[]> {
  const refuse: Refuse = (expected, came) => unexpectedAnswer(options.what, expected, came);
  const source = new Source(archive);
  const isZipped = await source.startsWith([0x1f, 0x8b]);
  // One class that Node and the DOM declare apart.
  const raw = NodeStream.from(source) as unknown as ReadableStream<Uint8Array<ArrayBuffer>>;
  const plain = isZipped ? raw.pipeThrough(new DecompressionStream("gzip")) : raw;
  const members = plain.pipeThrough(createTarDecoder({ strict: true }));
  const names: string[] = [];
  let leftBytes = options.mostBytes;

  /** What breaks while it is read is the archive's fault, unless its source broke. */
  async function* read<T>(stream: AsyncIterable<T>): AsyncGenerator<T, void, undefined> {
    try {
      yield* stream;
    } catch (thrown) {
      if (source.hasFailed) throw thrown;
      throw refuse("a tar of files that is whole", String(thrown));
    }
  }

  for await (const { header, body } of read(members)) {
    const { name, type, size } = header;
    leftBytes -= size;
    if (leftBytes < 0) throw refuse(`at most ${options.mostBytes} bytes of files`, "more");
    if (type === "directory") continue;
    if (type !== "file") throw refuse("files alone in the archive", `${name}, a ${type}`);
    if (names.length === mostFiles) throw refuse(`at most ${mostFiles} files`, "more");
    const path = checkedName(name, refuse);
    await writeFile(join(folder, path), read(body), options.signal, refuse);
    names.push(path);
  }
  return names;
}

/** Pieces whose beginning can be looked at, and which know whether they broke. */
class Source {
  hasFailed = false;
  readonly #pieces: AsyncIterator<Uint8Array>;
  #head = new Uint8Array(0);

  constructor(pieces: Pieces) {
    this.#pieces = pieces[Symbol.asyncIterator]();
  }

  async startsWith(bytes: readonly number[]): Promise<boolean> {
    while (this.#head.byteLength < bytes.length) {
      const next: IteratorResult<Uint8Array, unknown> = await this.#pieces.next();
      if (next.done === true) break;
      this.#head = Buffer.concat([this.#head, next.value]);
    }
    return bytes.every((byte, place) => this.#head[place] === byte);
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<Uint8Array, void, undefined> {
    try {
      yield this.#head;
      yield* { [Symbol.asyncIterator]: () => this.#pieces };
    } catch (thrown) {
      this.hasFailed = true;
      throw thrown;
    }
  }
}

async function writeFile(path: string, pieces: Pieces, signal: AbortSignal, refuse: Refuse): Promise<void> {
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

/** Without a leading `./`. A backslash or colon is part of a path on other systems. */
function checkedName(name: string, refuse: Refuse): string {
  const plain = name.replace(/^(?:\.\/)+/u, "");
  const isInside = plain.split("/").every((part) => part !== "" && part !== "." && part !== "..");
  if (!isInside || /[\\:\0]/u.test(plain)) throw refuse("names of files in the folder", JSON.stringify(name));
  return plain;
}
