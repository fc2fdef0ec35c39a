/**
 * The sandbox: takes requests, gives executions. A limit is confirmed on a fresh worker, a worker that was lost is tried
 * once more, and what is exact is remembered. Knows of backends nothing but which is the default.
 */
import { availableParallelism } from "node:os";
import { canonicalJson, sha256, type CallOptions, type JsonObject } from "../../base/index.ts";
import { ExecutionCache } from "./execution-cache.ts";
import type { PythonExecution, PythonLimit } from "./execution.ts";
import { WorkerPool } from "./pool.ts";
import { prove } from "./proof.ts";
import { pyodideBackend } from "./pyodide/backend.ts";
import { isPythonValue } from "./python-value.ts";
import { checkSeed, hashSeedOf, longestProgram, resolveLimits, type PythonRequest } from "./request.ts";
import type { PythonBackend, WireRequest, WorkerOutcome } from "./worker.ts";

export interface SandboxOptions {
  /** Default `pyodideBackend()`; else `nativeBackend()`. */
  readonly backend?: PythonBackend;
  /** Programs that run at the same time. Default: the number of cores. */
  readonly workerCount?: number;
  /** Executions that are remembered by content; 0 for none. Default 10,000. */
  readonly cacheSize?: number;
}

/** What was executed so far, and how. */
export interface SandboxCounts {
  readonly executions: number;
  readonly fromCache: number;
  /** Workers that were lost while a program ran. */
  readonly lost: number;
  readonly limits: number;
  /** Programs that left something behind in a warm interpreter, which was put back. */
  readonly harms: number;
}

export interface PythonSandbox extends AsyncDisposable {
  readonly backend: Pick<PythonBackend, "id" | "software">;
  readonly counts: SandboxCounts;
  /**
   * Executes a request.
   *
   * @throws `invalid-limits`, `invalid-request`, `sandbox-busy`, `sandbox-closed`, `aborted`; never for what a program does
   */
  run(request: PythonRequest, call?: Pick<CallOptions, "signal">): Promise<PythonExecution>;
  /** Ends all workers. */
  close(): Promise<void>;
}

/**
 * Starts a worker, tries programs that want to escape on it, and only then takes requests.
 *
 * @throws `backend-unavailable` where it cannot run here, `proof-failed` where a program got out
 */
export async function openPythonSandbox(options: SandboxOptions = {}): Promise<PythonSandbox> {
  const { backend = pyodideBackend(), workerCount = availableParallelism(), cacheSize = 10_000 } = options;
  const first = await backend.start();
  const pool = new WorkerPool(backend, first, workerCount);
  const sandbox = new PooledSandbox(backend, pool, cacheSize);
  try {
    await prove(sandbox);
  } catch (thrown) {
    await sandbox.close();
    throw thrown;
  }
  return sandbox;
}

class PooledSandbox implements PythonSandbox {
  readonly backend: PythonBackend;
  readonly #pool: WorkerPool;
  readonly #cache: ExecutionCache;
  readonly #counts = { executions: 0, fromCache: 0, lost: 0, limits: 0, harms: 0 };

  constructor(backend: PythonBackend, pool: WorkerPool, cacheSize: number) {
    this.backend = backend;
    this.#pool = pool;
    this.#cache = new ExecutionCache(backend.isRepeatable ? cacheSize : 0);
  }

  get counts(): SandboxCounts {
    return { ...this.#counts };
  }

  async run(request: PythonRequest, { signal }: Pick<CallOptions, "signal"> = {}): Promise<PythonExecution> {
    const wire = wireOf(request);
    const length = wire.program.length + queryLength(wire);
    if (length > longestProgram) return tooLong(length);
    const key = sha256(canonicalJson(wire as unknown as JsonObject));
    const known = this.#cache.get(key);
    if (known !== undefined) {
      this.#counts.fromCache++;
      return known;
    }
    const execution = await this.#execute(wire, signal);
    this.#counts.executions++;
    if (execution.kind === "value" || execution.kind === "exception") this.#cache.set(key, execution);
    return execution;
  }

  async close(): Promise<void> {
    await this.#pool.close();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async #execute(wire: WireRequest, signal: AbortSignal | undefined): Promise<PythonExecution> {
    const first = this.#read(await this.#pool.run(wire, signal));
    const isRetried = first.kind === "limit" || (first.kind === "error" && first.error !== "start-failed");
    if (!isRetried) return first;
    const second = this.#read(await this.#pool.runFresh(wire));
    if (first.kind === "limit" && second.kind === "limit" && first.limit === second.limit)
      return { ...second, isConfirmed: true };
    // A worker that is lost twice under the same program was ended by it.
    return isLost(first) && isLost(second) ? ended(second.message) : second;
  }

  #read(outcome: WorkerOutcome): PythonExecution {
    switch (outcome.kind) {
      case "answered":
        if (outcome.answer["wasHarmed"] === true) this.#counts.harms++;
        return this.#noted(executionOf(outcome.answer));
      case "overran":
        return this.#noted({ kind: "limit", limit: "time", isConfirmed: false });
      case "starved":
        return { kind: "error", error: "starved", message: "the machine gave the program no time" };
      case "lost":
        this.#counts.lost++;
        return { kind: "error", error: "lost", message: outcome.message };
      case "never-ran":
        return { kind: "error", error: "start-failed", message: outcome.message };
    }
  }

  #noted(execution: PythonExecution): PythonExecution {
    if (execution.kind === "limit") this.#counts.limits++;
    return execution;
  }
}

const endedName = "InterpreterEnded";

function isLost(execution: PythonExecution): execution is Extract<PythonExecution, { kind: "error" }> {
  return execution.kind === "error" && execution.error === "lost";
}

function ended(message: string): PythonExecution {
  return { kind: "exception", name: endedName, message, where: "program", line: null, output: "" };
}

function tooLong(length: number): PythonExecution {
  const message = `a program of ${length} characters, at most ${longestProgram} are executed`;
  return { kind: "exception", name: "ProgramTooLong", message, where: "program", line: null, output: "" };
}

function queryLength({ query }: WireRequest): number {
  if (query === null) return 0;
  return typeof query === "string" ? query.length : query.arguments.length + query.call.length;
}

/** 2024-01-01 in UTC; the seed says how many hours later it is. */
const epochSeconds = 1_704_067_200;

/** @throws `invalid-limits`, `invalid-request` */
function wireOf({ program, query = null, limits, environmentSeed = 0 }: PythonRequest): WireRequest {
  checkSeed(environmentSeed);
  return {
    program,
    query: typeof query === "object" && query !== null ? { mode: "any", ...query } : query,
    seed: environmentSeed,
    hashSeed: hashSeedOf(environmentSeed),
    startSeconds: epochSeconds + 3600 * (environmentSeed % 100_000),
    ...resolveLimits(limits),
  };
}

const limitNames: ReadonlySet<unknown> = new Set<PythonLimit>(["time", "memory", "output"]);

/** An interpreter that a program changed may say anything; what is no execution ended it. */
function executionOf(answer: JsonObject): PythonExecution {
  const { kind, value, output, name, message, where, line, limit } = answer;
  if (kind === "limit" && limitNames.has(limit))
    return { kind, limit: limit as PythonLimit, isConfirmed: false };
  if (typeof output !== "string") return ended("the interpreter gave no answer");
  if (kind === "value" && isPythonValue(value)) return { kind, value, output };
  if (kind !== "exception" || typeof name !== "string" || typeof message !== "string")
    return ended("the interpreter gave no answer");
  return {
    kind,
    name,
    message,
    where: where === "query" ? "query" : "program",
    line: typeof line === "number" ? line : null,
    output,
  };
}
