/**
 * A worker that is a process: requests go to its standard input as lines of JSON, answers come back in order. It is watched
 * by the time that it has had on a processor, and killed. Knows nothing of what the lines say.
 */
import { spawn, type ChildProcessByStdio } from "node:child_process";
import { readFileSync } from "node:fs";
import type { Readable, Writable } from "node:stream";
import { messageOf, parseJson, pause, systemClock, withDeadline, type JsonObject } from "../../base/index.ts";
import { sandboxError } from "./errors.ts";
import type { PythonWorker, WireRequest, WorkerOutcome } from "./worker.ts";

export interface LineWorkerOptions {
  readonly executable: string;
  readonly words: readonly string[];
  /** All of its environment. */
  readonly environment: Readonly<Record<string, string>>;
  /** Whether programs run in this very process: then its time on a processor is theirs. Else it watches them itself. */
  readonly runsPrograms: boolean;
  /** Whether it may be given requests before it has answered the one before: programs must not be able to read them there. */
  readonly readsAhead: boolean;
}

interface OpenRequest {
  readonly request: WireRequest;
  readonly resolve: (outcome: WorkerOutcome) => void;
  beganMs: number;
  dueMs: number;
}

const startTimeoutMs = 60_000;
const endTimeoutMs = 10_000;
/** For what the process does around a program: reading, restoring. */
const slackMs = 500;
/** So much slower than its processor time a program may be on a crowded machine. */
const mostCrowded = 20;
const longestWaitMs = 30_000;
const longestAnswer = 256 * 1_048_576;
const keptErrorCharacters = 2000;

export class LineWorker implements PythonWorker {
  readonly #child: ChildProcessByStdio<Writable, Readable, Readable>;
  readonly #runsPrograms: boolean;
  readonly #readsAhead: boolean;
  readonly #open: OpenRequest[] = [];
  readonly #closed = Promise.withResolvers<void>();
  readonly #ready = Promise.withResolvers<JsonObject>();
  readonly #stop = new AbortController();
  #pieces: Buffer[] = [];
  #pieceBytes = 0;
  #standardError = "";
  #isReady = false;
  #isWatching = false;
  #processorMs = 0;
  #why: "overran" | "starved" | null = null;
  hasEnded = false;
  hashSeed = 1;

  constructor({ executable, words, environment, runsPrograms, readsAhead }: LineWorkerOptions) {
    this.#runsPrograms = runsPrograms;
    this.#readsAhead = readsAhead;
    this.#child = spawn(executable, words, { env: environment, stdio: ["pipe", "pipe", "pipe"] });
    this.#child.on("error", (error) => {
      this.#standardError ||= messageOf(error);
      if (this.#child.pid === undefined) this.#ended("it did not start");
    });
    this.#child.on("close", (code, signal) =>
      this.#ended(signal === null ? `it ended with code ${code}` : `it was ended by ${signal}`),
    );
    this.#child.stdout.on("data", (data: Buffer) => this.#read(data));
    this.#child.stderr.setEncoding("utf8").on("data", (text: string) => {
      this.#standardError = (this.#standardError + text).slice(-keptErrorCharacters);
    });
    // That it is gone is told by its end.
    this.#child.stdin.on("error", () => undefined);
    this.#ready.promise.catch(() => undefined);
  }

  get openCount(): number {
    return this.#open.length;
  }

  get processId(): number | null {
    return this.#child.pid ?? null;
  }

  /** Its greeting. @throws `backend-unavailable` where it does not come */
  async ready(): Promise<JsonObject> {
    const what = "the start of a Python worker";
    try {
      return await withDeadline(
        { boundary: "verifier", what, timeoutMs: startTimeoutMs },
        () => this.#ready.promise,
      );
    } catch (thrown) {
      await this.close();
      throw thrown;
    }
  }

  run(request: WireRequest): Promise<WorkerOutcome> {
    return new Promise((resolve) => {
      if (this.hasEnded) {
        resolve({ kind: "never-ran", message: "the worker had ended" });
        return;
      }
      const open: OpenRequest = { request, resolve, beganMs: 0, dueMs: 0 };
      this.#open.push(open);
      this.hashSeed = request.hashSeed;
      if (this.#readsAhead) this.#send(open);
      if (this.#open.length === 1) this.#begin(open);
      if (!this.#isWatching) void this.#watch();
    });
  }

  async close(): Promise<void> {
    this.#child.kill("SIGKILL");
    const what = "the end of a killed Python worker";
    await withDeadline({ boundary: "verifier", what, timeoutMs: endTimeoutMs }, () => this.#closed.promise);
  }

  #send({ request }: OpenRequest): void {
    this.#child.stdin.write(`${JSON.stringify(request)}\n`);
  }

  #begin(open: OpenRequest): void {
    if (!this.#readsAhead) this.#send(open);
    open.beganMs = systemClock.monotonicMs();
    open.dueMs = open.beganMs + open.request.timeMs + slackMs;
  }

  /** One loop for all requests of the worker, so that a short program costs no timer. */
  async #watch(): Promise<void> {
    this.#isWatching = true;
    const what = "a Python program";
    try {
      for (let open = this.#open[0]; open !== undefined; open = this.#open[0]) {
        // The next one may have less time than this one.
        const timeoutMs = Math.min(100, Math.max(5, open.dueMs - systemClock.monotonicMs()));
        await pause({ boundary: "verifier", what, timeoutMs, signal: this.#stop.signal });
        if (open === this.#open[0]) this.#judgeLate(open);
      }
    } catch {
      // The worker has ended.
    }
    this.#isWatching = false;
  }

  #judgeLate(open: OpenRequest): void {
    const nowMs = systemClock.monotonicMs();
    if (nowMs < open.dueMs) return;
    const { timeMs } = open.request;
    const usedMs = this.#usedMs(nowMs - open.beganMs);
    if (usedMs >= timeMs + slackMs / 2) this.#end("overran");
    else if (nowMs - open.beganMs > longestWaitMs + mostCrowded * timeMs) this.#end("starved");
    else open.dueMs = nowMs + Math.max(50, timeMs + slackMs - usedMs);
  }

  /** Where the system does not tell, the time that passed has to do. */
  #usedMs(passedMs: number): number {
    if (!this.#runsPrograms) return 0;
    const totalMs = processorMsOf(this.#child.pid ?? 0);
    return totalMs === null ? passedMs : totalMs - this.#processorMs;
  }

  #end(why: "overran" | "starved"): void {
    this.#why = why;
    this.#child.kill("SIGKILL");
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
    if (this.#pieceBytes > longestAnswer) this.#child.kill("SIGKILL");
  }

  #came(line: string): void {
    const answer = objectOf(line);
    if (answer === null) {
      this.#child.kill("SIGKILL");
      return;
    }
    if (typeof answer["processorMs"] === "number") this.#processorMs = answer["processorMs"];
    if (!this.#isReady) {
      this.#isReady = true;
      this.#ready.resolve(answer);
      return;
    }
    const open = this.#open.shift();
    const next = this.#open[0];
    if (next !== undefined) this.#begin(next);
    open?.resolve({ kind: "answered", answer });
  }

  #ended(how: string): void {
    this.hasEnded = true;
    this.#stop.abort();
    const lastLine = this.#standardError.trimEnd().split("\n").at(-1) ?? "";
    const message = lastLine === "" ? how : `${how}: ${lastLine}`;
    this.#ready.reject(
      sandboxError("backend-unavailable", `a Python worker did not start: ${message}`, {
        facts: { standardError: this.#standardError },
      }),
    );
    const [first, ...others] = this.#open.splice(0);
    first?.resolve(this.#why === null ? { kind: "lost", message } : { kind: this.#why });
    for (const other of others) other.resolve({ kind: "never-ran", message });
    this.#closed.resolve();
  }
}

/** Of the thread in which a process began; null where the system does not tell. */
function processorMsOf(processId: number): number | null {
  try {
    const text = readFileSync(`/proc/${processId}/task/${processId}/stat`, "latin1");
    const fields = text.slice(text.lastIndexOf(")") + 2).split(" ");
    // Ticks of 10 ms, in user and in system mode.
    return (Number(fields[11]) + Number(fields[12])) * 10;
  } catch {
    return null;
  }
}

function objectOf(line: string): JsonObject | null {
  try {
    const json = parseJson(line);
    return typeof json === "object" && json !== null && !Array.isArray(json) ? (json as JsonObject) : null;
  } catch {
    return null;
  }
}
