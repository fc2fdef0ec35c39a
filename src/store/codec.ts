/**
 * Spans and log-probabilities as bytes. Token ids are unsigned LEB128 (one byte below 128, two below
 * 16,384, three below 2,097,152), log-probabilities float32 little-endian: for a tiny vocabulary 5
 * bytes per sampled token, for a real one 6 to 7.
 */
import { assert } from "../base/index.ts";
import type { Span } from "../records/index.ts";
import { storeError } from "./store-errors.ts";

const kinds = ["rendered", "sampled", "forced"] as const;
const imageKind = kinds.length;
const digestBytes = 32;
/** Of players without tokens: millions of turns share it. */
const noBytes = new Uint8Array();

/** Spans in order, each: kind, length, ids; or kind, digest, number of positions. */
export function encodeSpans(spans: readonly Span[]): Uint8Array {
  if (spans.length === 0) return noBytes;
  const bytes: number[] = [];
  for (const span of spans) {
    if (span.kind === "image") {
      assert(
        /^[0-9a-f]{64}$/.test(span.imageDigest),
        `image digest must be SHA-256 in hexadecimal, got ${span.imageDigest}`,
      );
      bytes.push(imageKind, ...Buffer.from(span.imageDigest, "hex"));
      pushUnsigned(bytes, span.positionCount);
      continue;
    }
    bytes.push(kinds.indexOf(span.kind));
    pushUnsigned(bytes, span.tokenIds.length);
    for (const tokenId of span.tokenIds) pushUnsigned(bytes, tokenId);
  }
  return Uint8Array.from(bytes);
}

/** @throws `run-corrupt` where the bytes are not what `encodeSpans` makes */
export function decodeSpans(bytes: Uint8Array): Span[] {
  const reader = new ByteReader(bytes);
  const spans: Span[] = [];
  while (!reader.isAtEnd) {
    const code = reader.byte();
    if (code === imageKind) {
      const imageDigest = Buffer.from(reader.take(digestBytes)).toString("hex");
      spans.push({ kind: "image", imageDigest, positionCount: reader.unsigned() });
      continue;
    }
    const kind = kinds[code];
    if (kind === undefined) throw storeError("run-corrupt", `expected a span, got the byte ${code}`);
    const length = reader.unsigned();
    if (length > bytes.length)
      throw storeError("run-corrupt", `expected a span of ${length} ids in ${bytes.length} bytes`);
    spans.push({ kind, tokenIds: Array.from({ length }, () => reader.unsigned()) });
  }
  return spans;
}

export function encodeLogprobs(logprobs: Float32Array): Uint8Array {
  if (logprobs.length === 0) return noBytes;
  const bytes = new Uint8Array(logprobs.length * 4);
  const view = new DataView(bytes.buffer);
  for (const [index, logprob] of logprobs.entries()) view.setFloat32(index * 4, logprob, true);
  return bytes;
}

/** @throws `run-corrupt` where the length is not a multiple of 4 */
export function decodeLogprobs(bytes: Uint8Array): Float32Array {
  if (bytes.length % 4 !== 0)
    throw storeError("run-corrupt", `expected float32 values, got ${bytes.length} bytes`);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  return Float32Array.from({ length: bytes.length / 4 }, (_value, index) => view.getFloat32(index * 4, true));
}

function pushUnsigned(bytes: number[], value: number): void {
  assert(Number.isSafeInteger(value) && value >= 0, `expected a non-negative integer, got ${value}`);
  let rest = value;
  while (rest >= 0x80) {
    bytes.push((rest % 0x80) | 0x80);
    rest = Math.floor(rest / 0x80);
  }
  bytes.push(rest);
}

class ByteReader {
  readonly #bytes: Uint8Array;
  #offset = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  get isAtEnd(): boolean {
    return this.#offset === this.#bytes.length;
  }

  byte(): number {
    const value = this.#bytes[this.#offset++];
    if (value === undefined) throw storeError("run-corrupt", "expected more bytes of a turn, they end early");
    return value;
  }

  take(count: number): Uint8Array {
    const taken = this.#bytes.subarray(this.#offset, this.#offset + count);
    if (taken.length < count)
      throw storeError("run-corrupt", "expected more bytes of a turn, they end early");
    this.#offset += count;
    return taken;
  }

  unsigned(): number {
    let value = 0;
    for (let scale = 1; ; scale *= 0x80) {
      const byte = this.byte();
      value += (byte & 0x7f) * scale;
      if (!Number.isSafeInteger(value))
        throw storeError("run-corrupt", "expected an integer, got one beyond 2^53");
      if (byte < 0x80) return value;
    }
  }
}
