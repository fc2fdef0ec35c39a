/**
 * The backend with the speed and the packages of a Python that is installed here: each program runs in a forked process that
 * sees no network, no files but Python's, and may call little of the kernel. Linux alone; refused with the reason elsewhere.
 */
import { fileURLToPath } from "node:url";
import { pythonSetting } from "./python-setting.ts";
import { sandboxError } from "../errors.ts";
import { LineWorker } from "../line-worker.ts";
import type { PythonBackend, PythonWorker, WireRequest, WorkerOutcome } from "../worker.ts";

export interface NativeOptions {
  /** The interpreter, 3.9 or later: a path, or a name that is looked up in `PATH`. Default `python3`. */
  readonly python?: string;
  /** Of this process; Python is given what it needs to start, and nothing that may be a secret. */
  readonly environment: Readonly<Record<string, string | undefined>>;
}

const folder = fileURLToPath(new URL("..", import.meta.url));
const server = fileURLToPath(new URL("server.py", import.meta.url));

export function nativeBackend({ python = "python3", environment }: NativeOptions): PythonBackend {
  return {
    id: "native",
    software: `CPython of ${python}`,
    // Code in C sees the clock of the machine.
    isRepeatable: false,
    start: async () => {
      if (process.platform !== "linux")
        throw sandboxError("backend-unavailable", `expected Linux, got ${process.platform}`, {
          hint: "use the Pyodide backend, which runs everywhere",
        });
      const worker = new NativeWorker((hashSeed) =>
        startServer(python, pythonSetting(environment, hashSeed)),
      );
      await worker.ready();
      return worker;
    },
  };
}

async function startServer(
  python: string,
  environment: Readonly<Record<string, string>>,
): Promise<LineWorker> {
  const worker = new LineWorker({
    executable: python,
    words: ["-B", server, folder],
    environment,
    runsPrograms: false,
    readsAhead: false,
  });
  await worker.ready();
  return worker;
}

/** A server per hash seed: it is chosen when Python starts. The second one starts when it is first asked for. */
class NativeWorker implements PythonWorker {
  readonly #start: (hashSeed: number) => Promise<LineWorker>;
  readonly #servers = new Map<number, Promise<LineWorker>>();
  readonly #running = new Set<LineWorker>();
  openCount = 0;
  hasEnded = false;
  hashSeed = 1;

  constructor(start: (hashSeed: number) => Promise<LineWorker>) {
    this.#start = start;
  }

  async ready(): Promise<void> {
    await this.#serverOf(1);
  }

  async run(request: WireRequest): Promise<WorkerOutcome> {
    this.openCount++;
    this.hashSeed = request.hashSeed;
    try {
      const outcome = await (await this.#serverOf(request.hashSeed)).run(request);
      if (outcome.kind === "answered" && outcome.answer["kind"] === "starved") return { kind: "starved" };
      return outcome;
    } catch (thrown) {
      return { kind: "never-ran", message: String(thrown) };
    } finally {
      this.openCount--;
      this.hasEnded ||= [...this.#running].some((worker) => worker.hasEnded);
    }
  }

  async close(): Promise<void> {
    this.hasEnded = true;
    await Promise.all([...this.#running].map((worker) => worker.close()));
  }

  #serverOf(hashSeed: number): Promise<LineWorker> {
    const started = this.#servers.get(hashSeed) ?? this.#begin(hashSeed);
    this.#servers.set(hashSeed, started);
    return started;
  }

  async #begin(hashSeed: number): Promise<LineWorker> {
    const worker = await this.#start(hashSeed);
    this.#running.add(worker);
    if (this.hasEnded) await worker.close();
    return worker;
  }
}
