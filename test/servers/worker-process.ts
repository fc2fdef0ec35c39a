/** The PyTorch worker as a process, with a tiny model made on the spot. The Python is that of `SPAR_TEST_WORKER_PYTHON`. */
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
  /** The name of its one model: two layers, random weights, a tokenizer of letters with a chat template. */
  readonly model: string;
  /** Where that model lies. */
  readonly folder: string;
  close(): Promise<void>;
}

/** Starts a worker; `close` ends it and removes what it wrote. */
export async function startWorker(): Promise<WorkerProcess> {
  const folder = mkdtempSync(path.join(tmpdir(), "spar-worker-"));
  const environment = {
    ...process.env,
    PYTHONPATH: [path.join(packageFolder, "src"), path.join(packageFolder, "tests")].join(path.delimiter),
    PYTHONDONTWRITEBYTECODE: "1",
    SPAR_WORKER_KEY: key,
  };
  const model = path.join(folder, "tiny");
  const write = "import pathlib, sys, tiny; tiny.write_llama(pathlib.Path(sys.argv[1]), context_length=512)";
  const written = spawnSync(workerPython, ["-c", write, model], { env: environment, encoding: "utf8" });
  if (written.status !== 0) throw new Error(`the tiny model was not written: ${written.stderr}`);
  const worker = spawn(
    workerPython,
    [
      "-m",
      "spar_worker",
      "--model",
      `tiny=${model}`,
      "--state-folder",
      path.join(folder, "state"),
      "--threads",
      "1",
    ],
    { env: environment, stdio: ["ignore", "pipe", "inherit"] },
  );
  const close = async (): Promise<void> => {
    await end(worker);
    rmSync(folder, { recursive: true, force: true });
  };
  try {
    return { url: await addressOf(worker), key, model: "tiny", folder: model, close };
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
