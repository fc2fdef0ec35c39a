/**
 * Bytes from an address that needs no key, piece by piece. It tries once; nothing is held but the piece at hand. That the
 * whole has come is checked against the length that was announced.
 */
import { isSparError, withDeadline, type CallOptions } from "../../../base/index.ts";
import { unexpectedAnswer } from "../errors.ts";
import { ConnectionLost, type HttpAnswer } from "./http.ts";

export interface DownloadOptions extends CallOptions {
  readonly what: string;
  readonly url: string;
  readonly signal: AbortSignal;
  /** More is refused. */
  readonly mostBytes: number;
  /** How long nothing may come. */
  readonly stallMs: number;
}

const longestRefusalBytes = 64 * 1024;

/**
 * What is there, or the answer that says no.
 *
 * @throws `ConnectionLost`, `aborted`, also while it is read; `unexpected-answer` for more than is allowed
 */
export async function download(options: DownloadOptions): Promise<AsyncIterable<Uint8Array> | HttpAnswer> {
  const { what, url, signal, mostBytes } = options;
  // No header of ours: the address is somebody else's as often as the server's. Answers are taken as they are.
  const response = await next(options, async (ending) =>
    fetch(url, {
      signal: AbortSignal.any([signal, ending]),
      headers: { "Accept-Encoding": "identity" },
    }),
  );
  const announced = response.headers.get("content-length");
  const sizeBytes = announced === null ? null : Number(announced);
  if (response.ok && sizeBytes !== null && sizeBytes > mostBytes) {
    await response.body?.cancel();
    throw unexpectedAnswer(what, `at most ${mostBytes} bytes`, `${sizeBytes}`);
  }
  if (response.ok) return pieces(response, sizeBytes, options);
  const parts: Uint8Array[] = [];
  for await (const piece of pieces(response, null, { ...options, mostBytes: longestRefusalBytes }))
    parts.push(piece);
  return { status: response.status, headers: response.headers, bytes: Buffer.concat(parts) };
}

async function* pieces(
  response: Response,
  sizeBytes: number | null,
  options: DownloadOptions,
): AsyncGenerator<Uint8Array, void, undefined> {
  const { what, mostBytes } = options;
  if (response.body === null) return;
  const reader = response.body.getReader();
  let length = 0;
  try {
    for (;;) {
      const { done, value } = await next(options, async () => reader.read());
      if (done) break;
      length += value.byteLength;
      if (length > mostBytes) throw unexpectedAnswer(what, `at most ${mostBytes} bytes`, "more");
      yield value;
    }
  } finally {
    await reader.cancel().catch(() => undefined);
  }
  if (sizeBytes !== null && length !== sizeBytes) {
    throw new ConnectionLost(what, new Error(`${length} bytes of ${sizeBytes} came`));
  }
}

async function next<T>(
  { what, stallMs, signal }: DownloadOptions,
  start: (ending: AbortSignal) => Promise<T>,
): Promise<T> {
  try {
    return await withDeadline({ boundary: "engine", what, timeoutMs: stallMs, signal }, start);
  } catch (thrown) {
    if (isSparError(thrown) && thrown.code !== "deadline-exceeded") throw thrown;
    throw new ConnectionLost(what, thrown);
  }
}
