/**
 * Calls into one Python process: started at the first call, given one request at a time, watched, and
 * started anew after it ended, said something else, or did not answer. So a call that breaks it is the
 * only one that fails. Knows nothing of games.
 */
import { fileURLToPath } from "node:url";
import { z } from "zod";
import {
  isSparError,
  parseJson,
  withDeadline,
  type CallOptions,
  type JsonValue,
  type SparError,
} from "../../base/index.ts";
import { bridgeError, bridgeGarbled } from "./bridge-errors.ts";
import { LineProcess, longestLineBytes } from "./line-process.ts";
import { pythonEnvironment } from "./python-environment.ts";

export interface PythonBridgeOptions {
  /** The interpreter: a path, or a name that is looked up in `PATH`. Default `python3`. */
  readonly python?: string;
  /** Of this process; Python is given what it needs to start, and nothing that may be a secret. */
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** The longest that a call may take once it is its turn; then the process is killed. Default 60 s. */
  readonly callTimeoutMs?: number;
  /** Default 60 s. */
  readonly startTimeoutMs?: number;
  /** Calls that may wait for their turn. Default 65,536. */
  readonly longestQueue?: number;
}

interface Job {
  readonly method: string;
  readonly input: JsonValue;
  readonly resolve: (output: JsonValue) => void;
  readonly reject: (thrown: unknown) => void;
}

const script = fileURLToPath(new URL("foreign_games.py", import.meta.url));
const protocol = 1;
const defaultTimeoutMs = 60_000;
const defaultWaitMs = 300_000;

const helloSchema = z.object({ protocol: z.number(), python: z.string() });
const errorSchema = z.object({
  code: z.enum(["package-missing", "unknown-game", "game-unsupported", "game-failed", "illegal-action"]),
  message: z.string(),
  hint: z.string().nullable(),
  traceback: z.string().nullable(),
});
const answerSchema = z.union([
  // It was parsed from JSON, whatever it is.
  z.strictObject({ id: z.number(), output: z.custom<JsonValue>((value) => value !== undefined) }),
  z.strictObject({ id: z.number(), error: errorSchema }),
]);
type Answer = z.output<typeof answerSchema>;

export class PythonBridge {
  readonly #options: PythonBridgeOptions;
  readonly #waiting: Job[] = [];
  #process: LineProcess | null = null;
  #isWorking = false;
  #isClosed = false;
  #requestCount = 0;

  constructor(options: PythonBridgeOptions) {
    this.#options = options;
  }

  /** Of the process that answers now; null where none runs. */
  get processId(): number | null {
    return this.#process?.processId ?? null;
  }

  /**
   * @throws `python-missing`, `bridge-ended`, `bridge-garbled`, `deadline-exceeded`, `bridge-busy`,
   * `bridge-closed`, `aborted`, and what Python tells: see `BridgeErrorCode`
   */
  call(method: string, input: JsonValue, call: CallOptions = {}): Promise<JsonValue> {
    const { signal, timeoutMs = defaultWaitMs } = call;
    const what = `the answer of Python to ${method}`;
    const wait = {
      boundary: "service",
      what,
      timeoutMs,
      ...(signal === undefined ? {} : { signal }),
    } as const;
    return withDeadline(wait, async (ended) => this.#enqueue(method, input, ended));
  }

  /** Ends the process; calls under way fail as `bridge-closed`. */
  async close(): Promise<void> {
    this.#isClosed = true;
    const error = closed();
    for (const job of this.#waiting.splice(0)) job.reject(error);
    await this.#drop(error);
  }

  #enqueue(method: string, input: JsonValue, ended: AbortSignal): Promise<JsonValue> {
    const { longestQueue = 65_536 } = this.#options;
    if (this.#isClosed) throw closed();
    if (this.#waiting.length >= longestQueue) throw busy(longestQueue);
    return new Promise((resolve, reject) => {
      const job: Job = { method, input, resolve, reject };
      this.#waiting.push(job);
      // One that is under way goes on: its answer has to be read before the next request.
      ended.addEventListener("abort", () => this.#forget(job), { once: true });
      if (!this.#isWorking) void this.#work();
    });
  }

  #forget(job: Job): void {
    const index = this.#waiting.indexOf(job);
    if (index >= 0) this.#waiting.splice(index, 1);
  }

  /** Never rejects: failures go to the jobs. */
  async #work(): Promise<void> {
    this.#isWorking = true;
    for (let job = this.#waiting.shift(); job !== undefined; job = this.#waiting.shift()) {
      try {
        const answer = await this.#exchange(await this.#running(), job);
        if ("error" in answer) job.reject(toldError(answer.error));
        else job.resolve(answer.output);
      } catch (thrown) {
        job.reject(thrown);
      }
    }
    this.#isWorking = false;
  }

  async #running(): Promise<LineProcess> {
    const process = this.#process;
    return process === null || process.hasEnded ? this.#start() : process;
  }

  /** Where it does not start, it would not start for the others either. */
  async #start(): Promise<LineProcess> {
    const { python = "python3", environment, startTimeoutMs = defaultTimeoutMs } = this.#options;
    const started = new LineProcess({
      executable: python,
      words: [script],
      environment: pythonEnvironment(environment),
    });
    this.#process = started;
    try {
      const what = `the start of ${python}`;
      const line = await withDeadline({ boundary: "service", what, timeoutMs: startTimeoutMs }, () =>
        started.nextLine(),
      );
      const hello = helloSchema.safeParse(jsonOf(line));
      if (hello.data?.protocol !== protocol) throw bridgeGarbled(`a greeting of protocol ${protocol}`, line);
      return started;
    } catch (thrown) {
      for (const job of this.#waiting.splice(0)) job.reject(thrown);
      await this.#drop(thrown);
      throw thrown;
    }
  }

  /** One request and its answer; whatever else happens ends the process. */
  async #exchange(process: LineProcess, { method, input }: Job): Promise<Answer> {
    const { callTimeoutMs = defaultTimeoutMs } = this.#options;
    const id = this.#requestCount++;
    const request = JSON.stringify({ id, method, input });
    if (request.length > longestLineBytes) throw tooLong(request.length);
    try {
      process.write(request);
      const wait = {
        boundary: "service",
        what: `the answer of Python to ${method}`,
        timeoutMs: callTimeoutMs,
        hint: "the game took too long; the next call starts a new process",
      } as const;
      const line = await withDeadline(wait, () => process.nextLine());
      const answer = answerSchema.safeParse(jsonOf(line));
      if (!answer.success || answer.data.id !== id) throw bridgeGarbled(`the answer to request ${id}`, line);
      return answer.data;
    } catch (thrown) {
      await this.#drop(thrown);
      throw thrown;
    }
  }

  async #drop(thrown: unknown): Promise<void> {
    const process = this.#process;
    this.#process = null;
    await process?.stop(isSparError(thrown) ? thrown : closed());
  }
}

/** The process is well, what was asked is not. */
function toldError({ code, message, hint, traceback }: z.output<typeof errorSchema>): SparError {
  return bridgeError(code, message, { hint, facts: { traceback } });
}

function tooLong(bytes: number): SparError {
  return bridgeError("game-failed", `expected a request of at most ${longestLineBytes} bytes, got ${bytes}`);
}

function jsonOf(line: string): JsonValue | undefined {
  try {
    return parseJson(line);
  } catch {
    return undefined;
  }
}

function closed(): SparError {
  return bridgeError("bridge-closed", "the bridge to Python was closed");
}

function busy(longestQueue: number): SparError {
  return bridgeError(
    "bridge-busy",
    `expected at most ${longestQueue} calls to wait for Python, this is one more`,
    {
      hint: "play fewer episodes at once",
      retryable: true,
    },
  );
}
