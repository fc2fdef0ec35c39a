/**
 * The PyTorch worker as a process. The Python is that of `SPAR_TEST_WORKER_PYTHON`. The worker holds the other end of a
 * pipe: it ends, and takes its state with it, when the process of the tests does, in whatever way that ends.
 */
import { spawn, spawnSync, type ChildProcess } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";

/** A Python with the worker's packages; unset, what needs one is skipped. */
export const workerPython: string = process.env["SPAR_TEST_WORKER_PYTHON"] ?? "";

const packageFolder = fileURLToPath(new URL("../../python/worker", import.meta.url));
const key = "tml-test";
const startTimeoutMs = 300_000;

export interface WorkerProcess {
  readonly url: string;
  readonly key: string;
  close(): Promise<void>;
}

const environment = {
  ...process.env,
  PYTHONPATH: [path.join(packageFolder, "src"), path.join(packageFolder, "tests")].join(path.delimiter),
  SPAR_WORKER_KEY: key,
};

export interface TinyWorker extends WorkerProcess {
  /** The name of its one model. */
  readonly model: string;
  /** Where that model lies. */
  readonly folder: string;
}

/** Starts a worker with one model `tiny`: two layers, random weights, a tokenizer of letters with a chat template. */
export async function startTinyWorker(): Promise<TinyWorker> {
  const folder = mkdtempSync(path.join(tmpdir(), "spar-worker-"));
  const remove = (): void => rmSync(folder, { recursive: true, force: true });
  const model = path.join(folder, "tiny");
  const write = "import pathlib, sys, tiny; tiny.write_llama(pathlib.Path(sys.argv[1]), context_length=512)";
  try {
    const written = spawnSync(workerPython, ["-c", write, model], { env: environment, encoding: "utf8" });
    if (written.status !== 0) throw new Error(`the tiny model was not written: ${written.stderr}`);
    const worker = await startWorker({ tiny: model });
    return { ...worker, model: "tiny", folder: model, close: () => worker.close().finally(remove) };
  } catch (thrown) {
    remove();
    throw thrown;
  }
}

/** Starts a worker with models by name, on one thread of the CPU; `close` ends it and removes what it wrote. */
export async function startWorker(
  models: Readonly<Record<string, string>>,
  options: readonly string[] = [],
): Promise<WorkerProcess> {
  const state = mkdtempSync(path.join(tmpdir(), "spar-worker-state-"));
  const named = Object.entries(models).flatMap(([name, folder]) => ["--model", `${name}=${folder}`]);
  const place = ["--state-folder", state, "--temporary-state", "--ends-with-input"];
  const small = ["--device", "cpu", "--threads", "1"];
  const worker = spawn(workerPython, ["-m", "spar_worker", ...named, ...place, ...small, ...options], {
    env: environment,
    stdio: ["pipe", "pipe", "inherit"],
  });
  const close = async (): Promise<void> => {
    await end(worker);
    rmSync(state, { recursive: true, force: true });
  };
  try {
    return { url: await addressOf(worker), key, close };
  } catch (thrown) {
    await close();
    throw thrown;
  }
}

async function addressOf(worker: ChildProcess): Promise<string> {
  if (worker.stdout === null) throw new Error("the worker has no output");
  const giveUp = setTimeout(() => worker.kill("SIGKILL"), startTimeoutMs);
  try {
    for await (const line of createInterface({ input: worker.stdout })) {
      return (JSON.parse(line) as { readonly url: string }).url;
    }
    throw new Error(`the worker ended before it listened, or took more than ${startTimeoutMs} ms`);
  } finally {
    clearTimeout(giveUp);
  }
}

async function end(worker: ChildProcess): Promise<void> {
  const ended = new Promise<void>((resolve) => void worker.once("exit", () => resolve()));
  if (worker.exitCode !== null || worker.signalCode !== null) return;
  worker.kill("SIGTERM");
  const timer = setTimeout(() => worker.kill("SIGKILL"), 20_000);
  await ended;
  clearTimeout(timer);
}
