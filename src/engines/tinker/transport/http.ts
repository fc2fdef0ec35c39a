/**
 * One HTTP exchange with the server: the key, the body, a time limit, a largest answer. It tries once; who may try
 * again is decided above. A key is sent to the server's own address alone, so redirects are not followed.
 */
import { promisify } from "node:util";
import { zstdCompress } from "node:zlib";
import { isSparError, messageOf, SparError, withDeadline } from "../../../base/index.ts";
import { tinkerError, unexpectedAnswer } from "../errors.ts";

const compress = promisify(zstdCompress);

export type HttpBody =
  | { readonly type: "json"; readonly value: unknown }
  | { readonly type: "protobuf"; readonly bytes: Uint8Array; readonly isCompressed: boolean };

export interface HttpRequest {
  readonly method: "GET" | "POST" | "PUT" | "DELETE";
  /** Below `/api/v1/`. */
  readonly path: string;
  readonly body?: HttpBody;
  readonly headers?: Readonly<Record<string, string>>;
  readonly timeoutMs: number;
  readonly signal: AbortSignal;
}

export interface HttpAnswer {
  readonly status: number;
  readonly headers: Headers;
  readonly bytes: Uint8Array;
}

export interface HttpOptions {
  /** As the user gave it, with what stands before `/api/v1`. */
  readonly url: string;
  readonly largestAnswerBytes: number;
}

/** The connection broke, or nothing came in time. */
export class ConnectionLost extends SparError {
  /** True where the request certainly never arrived. */
  readonly wasNotSent: boolean;
  /** True where nothing broke, but no answer came in time. */
  readonly wasLate: boolean;

  constructor(what: string, cause: unknown) {
    super({
      code: "connection-lost",
      boundary: "engine",
      message: `${what}: the connection broke: ${reasonOf(cause)}`,
      retryable: true,
      cause,
    });
    this.wasNotSent = notSent.has(codeOf(cause));
    this.wasLate = isSparError(cause) && cause.code === "deadline-exceeded";
  }
}

const notSent: ReadonlySet<string> = new Set([
  "ECONNREFUSED",
  "ENOTFOUND",
  "EAI_AGAIN",
  "UND_ERR_CONNECT_TIMEOUT",
]);

export class Http {
  readonly #base: string;
  readonly #largestAnswerBytes: number;

  /** @throws `request-refused` for what is no address of HTTP */
  constructor(options: HttpOptions) {
    this.#base = checkUrl(options.url);
    this.#largestAnswerBytes = options.largestAnswerBytes;
  }

  /** The server's address, without key. */
  get url(): string {
    return this.#base;
  }

  /** @throws `ConnectionLost`, `aborted`, `unexpected-answer` for one that is too large */
  async exchange(request: HttpRequest, key: string | null): Promise<HttpAnswer> {
    const what = `${request.method} ${request.path}`;
    const { headers, body } = await encodeBody(request);
    if (key !== null) headers["X-API-Key"] = key;
    try {
      return await withDeadline(
        { boundary: "engine", what, timeoutMs: request.timeoutMs, signal: request.signal },
        async (signal) => {
          const response = await fetch(`${this.#base}/api/v1/${request.path}`, {
            method: request.method,
            headers,
            body,
            signal,
            redirect: "manual",
          });
          return {
            status: response.status,
            headers: response.headers,
            bytes: await this.#read(response, what),
          };
        },
      );
    } catch (thrown) {
      if (isSparError(thrown) && thrown.code !== "deadline-exceeded") throw thrown;
      throw new ConnectionLost(what, thrown);
    }
  }

  async #read(response: Response, what: string): Promise<Uint8Array> {
    const parts: Uint8Array[] = [];
    let length = 0;
    for await (const part of response.body ?? []) {
      length += part.byteLength;
      if (length > this.#largestAnswerBytes) {
        throw unexpectedAnswer(what, `an answer of at most ${this.#largestAnswerBytes} bytes`, "more");
      }
      parts.push(part);
    }
    return Buffer.concat(parts, length);
  }
}

async function encodeBody(request: HttpRequest): Promise<{
  readonly headers: Record<string, string>;
  readonly body: string | Uint8Array<ArrayBuffer> | null;
}> {
  const headers: Record<string, string> = { Accept: "application/json", ...request.headers };
  const { body } = request;
  if (body === undefined) return { headers, body: null };
  if (body.type === "json") {
    headers["Content-Type"] = "application/json";
    return { headers, body: JSON.stringify(body.value) };
  }
  headers["Content-Type"] = protobufType;
  if (!body.isCompressed) return { headers, body: Uint8Array.from(body.bytes) };
  headers["Content-Encoding"] = "zstd";
  return { headers, body: Uint8Array.from(await compress(body.bytes)) };
}

export const protobufType = "application/x-protobuf";

function checkUrl(url: string): string {
  const parsed = URL.parse(url);
  if (parsed === null || !/^https?:$/.test(parsed.protocol)) {
    throw tinkerError(
      "request-refused",
      `expected the address of a server, such as http://127.0.0.1:8000, got ${url}`,
    );
  }
  if (parsed.username !== "" || parsed.password !== "") {
    throw tinkerError("request-refused", "expected an address without a key in it", {
      hint: "give the key as an option, an environment variable or a file: addresses end up in logs",
    });
  }
  return `${parsed.origin}${parsed.pathname}`.replace(/\/+$/, "");
}

function reasonOf(cause: unknown): string {
  const inner = cause instanceof Error ? cause.cause : undefined;
  return inner instanceof Error ? inner.message : messageOf(cause);
}

function codeOf(cause: unknown): string {
  const inner = cause instanceof Error ? cause.cause : undefined;
  return inner instanceof Error && "code" in inner ? String(inner.code) : "";
}
