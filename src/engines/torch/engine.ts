/**
 * The engine `torch`: our PyTorch worker, started and watched for one engine, reached through the client of engine
 * `tinker`. Found by folder, loaded when it is used. What the worker does is in `python/worker`.
 */
import { rmSync } from "node:fs";
import { availableParallelism, homedir } from "node:os";
import { join } from "node:path";
import type { CallOptions, JsonObject } from "../../base/index.ts";
import type { Capability, Engine } from "../../contract/index.ts";
import { installCommand } from "./errors.ts";
import { readOptions, torchOptions, workerArguments } from "./options.ts";
import { findPython, type Surroundings } from "./python.ts";
import { readKey, readServer } from "./server-files.ts";
import { makeWorkingFolder } from "./working-folder.ts";
import { WorkerProcess, type WorkerStart } from "./worker-process.ts";

export interface TorchEngineOptions {
  /** Threads of arithmetic; left out, all cores. */
  readonly threadCount?: number;
  /** See `torchOptions`. */
  readonly options?: JsonObject;
  /** Left out, Python is given no variables and must be named by the options. */
  readonly environment?: Surroundings["environment"];
  /** Where `spar engine install` puts things; left out, a folder for temporary files. */
  readonly dataFolder?: string;
  /** What is being waited for, for people. */
  readonly onProgress?: (text: string) => void;
  /** What the worker writes, in pieces. */
  readonly onLog?: (text: string) => void;
}

export { torchOptions as options };
export {
  install,
  planInstallation,
  type Installation,
  type InstallationPlan,
  type InstallOptions,
} from "./install.ts";
export {
  listServers,
  startServer,
  stopServer,
  type ListedServer,
  type ServerStart,
  type StoppedServer,
} from "./servers.ts";

/** What the worker can do and this client can ask for; `hub-models` with the option `mayDownload`. */
export const capabilities: ReadonlySet<Capability> = new Set<Capability>([
  "cancel",
  "discard-gradients",
  "embeddings",
  "entropies",
  "full-finetune",
  "hub-models",
  "idempotent-submission",
  "lora",
  "loss:cispo",
  "loss:crossEntropy",
  "loss:dro",
  "loss:importanceSampling",
  "loss:ppo",
  "one-pass-custom-loss",
  "optimizer:adam",
  "optimizer:adamw",
  "optimizer:rmsprop",
  "optimizer:sgd",
  "prompt-logprobs",
  "several-models",
  "values",
]);

/** What has to be typed before it starts here; null where nothing has. */
export function setUpCommand(surroundings: Surroundings): string | null {
  try {
    findPython("", surroundings);
    return null;
  } catch {
    return installCommand;
  }
}

/**
 * Starts a worker; it ends with the engine, and with this process.
 *
 * @throws `package-missing`, `engine-failed`, `deadline-exceeded`, `aborted`, and what a session with it throws
 */
export async function createEngine(given: TorchEngineOptions = {}, call: CallOptions = {}): Promise<Engine> {
  const options = readOptions(given.options ?? {});
  const {
    environment = {},
    dataFolder = join(homedir(), ".local", "share", "spar"),
    threadCount = availableParallelism(),
  } = given;
  if (options.server !== "") return useServer(options.server, dataFolder, call);
  const python = findPython(options.python, { environment, dataFolder });
  const states = makeWorkingFolder(dataFolder);
  const start: WorkerStart = {
    python,
    words: [...workerArguments(options, threadCount), "--state-folder", states, "--temporary-state"],
    environment,
    timeoutMs: options.startSeconds * 1000,
    onProgress: given.onProgress ?? ignore,
    onLog: given.onLog ?? ignore,
  };
  const worker = new WorkerProcess(start);
  const stop = async (): Promise<void> => {
    await worker.stop();
    rmSync(states, { recursive: true, force: true });
  };
  try {
    await worker.listening(start, call);
    // An arrow between engines: docs/decisions/0024-the-worker-through-the-client.md.
    const { createEngine: createClient } = await import("../tinker/engine.ts");
    const server = { url: worker.url, key: worker.key, executor: "spar", sharesFiles: true } as const;
    const owner = { engineId: "torch", threadCount, stop };
    return await createClient({ ...server, owner, serverEnd: worker.lost }, call);
  } catch (thrown) {
    await stop();
    throw thrown;
  }
}

/** A worker that goes on when this engine ends. */
async function useServer(name: string, dataFolder: string, call: CallOptions): Promise<Engine> {
  const { url } = readServer(dataFolder, name);
  const server = { url, key: readKey(dataFolder, name), executor: "spar", sharesFiles: true } as const;
  const owner = { engineId: "torch", threadCount: 1, stop: async () => undefined };
  const { createEngine: createClient } = await import("../tinker/engine.ts");
  return createClient({ ...server, owner }, call);
}

function ignore(): void {
  // Nobody listens.
}
