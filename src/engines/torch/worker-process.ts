/**
 * The worker as a child process: started with a key of its own, watched until it listens, its log passed on, ended with
 * whoever started it. It holds the other end of the worker's standard input, which closes however this process ends.
 */
import { spawn, type ChildProcessByStdio } from "node:child_process";
import { randomBytes } from "node:crypto";
import type { Readable, Writable } from "node:stream";
import { z } from "zod";
import { isSparError, messageOf, withDeadline, type CallOptions } from "../../base/index.ts";
import { engineError } from "../../contract/index.ts";
import { didNotListen, didNotStart, endInWords, pythonMissing, workerLost } from "./errors.ts";
import { pythonVariables, type Surroundings } from "./python.ts";

export interface WorkerStart {
  readonly python: string;
  /** Of the worker's command line. */
  readonly words: readonly string[];
  readonly environment: Surroundings["environment"];
  readonly timeoutMs: number;
  /** Told how long it has been starting, now and then. */
  readonly onProgress: (text: string) => void;
  readonly onLog: (text: string) => void;
}

type Child = ChildProcessByStdio<Writable, Readable, Readable>;

const keptLogCharacters = 16_384;
const progressEveryMs = 15_000;
const endTimeoutMs = 5_000;
const killTimeoutMs = 10_000;

const readyLine = z.object({ event: z.literal("listening"), url: z.url(), pid: z.int() });

export class WorkerProcess {
  readonly key: string = newKey();
  readonly #child: Child;
  readonly #onLog: (text: string) => void;
  readonly #python: string;
  readonly #lost = new AbortController();
  readonly #gone = Promise.withResolvers<void>();
  readonly #ready = Promise.withResolvers<string>();
  #log = "";
  #standardOutput = "";
  #url: string | null = null;
  #isStopping = false;

  constructor(start: WorkerStart) {
    this.#onLog = start.onLog;
    this.#python = start.python;
    this.#ready.promise.catch(() => undefined);
    this.#child = spawn(start.python, ["-m", "spar_worker", ...start.words, "--ends-with-input"], {
      env: pythonVariables(start.environment, { SPAR_WORKER_KEY: this.key }),
      stdio: ["pipe", "pipe", "pipe"],
      // A group of its own: ctrl-C is this process's to act on, and the worker is needed to finish a step.
      detached: true,
    });
    this.#listen();
  }

  /** Null where it never started. */
  get processId(): number | null {
    return this.#child.pid ?? null;
  }

  /** Where it listens. */
  get url(): string {
    if (this.#url === null) throw engineError("engine-closed", "expected a worker that listens");
    return this.#url;
  }

  /** Fires with the reason when the process ends though nobody asked it to. */
  get lost(): AbortSignal {
    return this.#lost.signal;
  }

  /** Waits until it listens. @throws `package-missing`, `engine-failed`, `deadline-exceeded`, `aborted` */
  async listening(start: WorkerStart, call: CallOptions = {}): Promise<void> {
    const { timeoutMs, onProgress } = start;
    const what = "the start of the PyTorch worker";
    onProgress(`starting the PyTorch worker on ${start.python}`);
    let waitedMs = 0;
    for (;;) {
      const partMs = Math.min(progressEveryMs, timeoutMs - waitedMs);
      try {
        const signal = call.signal === undefined ? {} : { signal: call.signal };
        this.#url = await withDeadline(
          { boundary: "engine", what, timeoutMs: partMs, ...signal },
          () => this.#ready.promise,
        );
        return;
      } catch (thrown) {
        if (!isSparError(thrown) || thrown.code !== "deadline-exceeded") throw thrown;
        waitedMs += partMs;
        if (waitedMs >= timeoutMs) throw didNotListen(timeoutMs, this.#log);
        onProgress(`the PyTorch worker is still starting, after ${Math.round(waitedMs / 1000)} s`);
      }
    }
  }

  /** Ends the process, and is done when it is gone. Idempotent. */
  async stop(): Promise<void> {
    this.#isStopping = true;
    if (this.#child.pid === undefined) return;
    this.#child.stdin.end();
    this.#child.kill("SIGTERM");
    const wait = { boundary: "engine", what: "the end of the PyTorch worker" } as const;
    try {
      await withDeadline({ ...wait, timeoutMs: endTimeoutMs }, () => this.#gone.promise);
    } catch {
      this.#child.kill("SIGKILL");
      await withDeadline({ ...wait, timeoutMs: killTimeoutMs }, () => this.#gone.promise);
    }
  }

  #listen(): void {
    const child = this.#child;
    child.on("error", (error) => {
      if (child.pid !== undefined) return;
      const isAbsent = "code" in error && error.code === "ENOENT";
      this.#ready.reject(
        pythonMissing(this.#python, isAbsent ? "there is no such program" : messageOf(error)),
      );
      this.#gone.resolve();
    });
    child.on("close", (code, signal) => this.#ended(endInWords(code, signal)));
    child.stdin.on("error", () => undefined);
    child.stdout.setEncoding("utf8").on("data", (text: string) => this.#readOutput(text));
    child.stderr.setEncoding("utf8").on("data", (text: string) => this.#write(text));
  }

  #ended(how: string): void {
    this.#write(`spar: the worker ended with ${how}\n`);
    this.#ready.reject(didNotStart(how, this.#log, this.#python));
    if (this.#url !== null && !this.#isStopping) this.#lost.abort(workerLost(how, this.#log));
    this.#gone.resolve();
  }

  /** The first line says where it listens. */
  #readOutput(text: string): void {
    if (this.#url !== null) return this.#write(text);
    this.#standardOutput = (this.#standardOutput + text).slice(-keptLogCharacters);
    for (const line of this.#standardOutput.split("\n").slice(0, -1)) {
      const ready = readReady(line);
      if (ready !== null) {
        this.#url = ready.url;
        this.#ready.resolve(ready.url);
      }
    }
  }

  #write(text: string): void {
    const shown = text.replaceAll(this.key, "***");
    this.#log = (this.#log + shown).slice(-keptLogCharacters);
    this.#onLog(shown);
  }
}

/** The form that official clients of the wire want. */
export function newKey(): string {
  return `tml-${randomBytes(24).toString("base64url")}`;
}

/** Where a worker listens, where a line of its output says so. */
export function readReady(line: string): { readonly url: string; readonly pid: number } | null {
  try {
    return readyLine.safeParse(JSON.parse(line)).data ?? null;
  } catch {
    return null;
  }
}
