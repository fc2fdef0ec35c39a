/**
 * A child process that is spoken to in lines: written to its standard input, read from its standard
 * output, at most so long and so many. Standard error is kept for the message of its end. Knows nothing
 * of what the lines say.
 */
import { spawn, type ChildProcessWithoutNullStreams } from "node:child_process";
import { messageOf, withDeadline, type SparError } from "../../base/index.ts";
import { bridgeEnded, bridgeGarbled, pythonMissing } from "./bridge-errors.ts";

export interface LineProcessOptions {
  readonly executable: string;
  readonly words: readonly string[];
  /** All of its environment. */
  readonly environment: Readonly<Record<string, string>>;
}

/** Of one line, in either direction. @unit bytes */
export const longestLineBytes = 16_777_216;
const keptErrorCharacters = 4000;
/** Lines that nobody asked for yet. */
const mostWaitingLines = 16;
const endTimeoutMs = 10_000;

interface Reader {
  readonly resolve: (line: string) => void;
  readonly reject: (error: SparError) => void;
}

export class LineProcess {
  readonly #child: ChildProcessWithoutNullStreams;
  readonly #closed = Promise.withResolvers<void>();
  readonly #lines: string[] = [];
  #pieces: Buffer[] = [];
  #pieceBytes = 0;
  #standardError = "";
  #reader: Reader | null = null;
  #failure: SparError | null = null;

  constructor({ executable, words, environment }: LineProcessOptions) {
    this.#child = spawn(executable, words, { env: environment, stdio: "pipe" });
    this.#child.on("error", (error) => {
      const isAbsent = "code" in error && error.code === "ENOENT";
      this.#fail(pythonMissing(executable, isAbsent ? "there is no such program" : messageOf(error)));
      if (this.#child.pid === undefined) this.#closed.resolve();
    });
    this.#child.on("close", (code, signal) => {
      this.#fail(bridgeEnded(signal === null ? `code ${code}` : `the signal ${signal}`, this.#standardError));
      this.#closed.resolve();
    });
    this.#child.stdout.on("data", (data: Buffer) => this.#read(data));
    this.#child.stderr.setEncoding("utf8").on("data", (text: string) => {
      this.#standardError = (this.#standardError + text).slice(-keptErrorCharacters);
    });
    // That it is gone is told by its end.
    this.#child.stdin.on("error", () => undefined);
  }

  /** Null where it never started. */
  get processId(): number | null {
    return this.#child.pid ?? null;
  }

  get hasEnded(): boolean {
    return this.#failure !== null;
  }

  write(line: string): void {
    this.#child.stdin.write(`${line}\n`);
  }

  /** One reader at a time. @throws what ended the process, or `bridge-garbled` for lines without end */
  nextLine(): Promise<string> {
    const line = this.#lines.shift();
    if (line !== undefined) return Promise.resolve(line);
    if (this.#failure !== null) return Promise.reject(this.#failure);
    return new Promise((resolve, reject) => {
      this.#reader = { resolve, reject };
    });
  }

  /** Ends it at once, and is done when it is gone. */
  async stop(error: SparError): Promise<void> {
    this.#fail(error);
    this.#child.kill("SIGKILL");
    const what = "the end of a killed Python process";
    await withDeadline({ boundary: "service", what, timeoutMs: endTimeoutMs }, () => this.#closed.promise);
  }

  #read(data: Buffer): void {
    let rest = data;
    for (let end = rest.indexOf(10); end >= 0; end = rest.indexOf(10)) {
      this.#pieces.push(rest.subarray(0, end));
      rest = rest.subarray(end + 1);
      const line = Buffer.concat(this.#pieces).toString("utf8");
      this.#pieces = [];
      this.#pieceBytes = 0;
      this.#came(line);
    }
    this.#pieces.push(rest);
    this.#pieceBytes += rest.length;
    if (this.#pieceBytes > longestLineBytes) this.#drown(`a line of at most ${longestLineBytes} bytes`);
  }

  #came(line: string): void {
    const reader = this.#reader;
    this.#reader = null;
    if (reader !== null) reader.resolve(line);
    else if (this.#lines.length < mostWaitingLines) this.#lines.push(line);
    else this.#drown("one line per request");
  }

  #drown(expected: string): void {
    const came = this.#lines[0] ?? this.#pieces[0]?.toString("utf8", 0, 200) ?? "";
    this.#pieces = [];
    this.#pieceBytes = 0;
    this.#fail(bridgeGarbled(expected, came));
    this.#child.kill("SIGKILL");
  }

  /** The first failure is the one that is told. */
  #fail(error: SparError): void {
    this.#failure ??= error;
    const reader = this.#reader;
    this.#reader = null;
    reader?.reject(this.#failure);
  }
}
