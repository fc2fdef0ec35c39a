/** Workers that outlive a run: started apart, found by name, ended by hand. */
import { spawn, spawnSync, type ChildProcess } from "node:child_process";
import { closeSync, openSync, readFileSync } from "node:fs";
import { availableParallelism } from "node:os";
import { messageOf, pause, throwIfAborted, type CallOptions, type JsonObject } from "../../base/index.ts";
import { engineError } from "../../contract/index.ts";
import { didNotListen, didNotStart, endInWords, pythonMissing } from "./errors.ts";
import { readOptions, workerArguments } from "./options.ts";
import { findPython, pythonVariables, type Surroundings } from "./python.ts";
import {
  readServer,
  readServers,
  removeServer,
  serverPaths,
  writeKey,
  writeNote,
  type ServerNote,
  type ServerPaths,
} from "./server-files.ts";
import { isAlive } from "./working-folder.ts";
import { newKey, readReady } from "./worker-process.ts";

export interface ServerStart extends Surroundings {
  /** Left out, the first free one of `torch-1`, `torch-2`. */
  readonly name?: string;
  /** `name=folder` each. */
  readonly models: readonly string[];
  readonly threadCount?: number;
  readonly options: JsonObject;
  readonly nowMs: number;
  readonly onProgress: (text: string) => void;
}

export interface ListedServer extends ServerNote {
  readonly isAlive: boolean;
  readonly keyFile: string;
  readonly logFile: string;
}

const lookEveryMs = 100;
const endTimeoutMs = 15_000;

/**
 * Starts a worker that goes on by itself.
 *
 * @throws `package-missing`, `engine-failed`, `deadline-exceeded`, `aborted`, `invalid-input` for a name that is taken
 */
export async function startServer(start: ServerStart, call: CallOptions = {}): Promise<ListedServer> {
  const { dataFolder, environment, models } = start;
  const name = freeName(start);
  const options = readOptions(start.options);
  const python = findPython(options.python, start);
  const paths = serverPaths(dataFolder, name);
  const key = newKey();
  writeKey(paths, key);
  const log = openSync(paths.log, "w", 0o600);
  start.onProgress(`starting the PyTorch worker on ${python}`);
  const words = workerArguments(options, start.threadCount ?? availableParallelism(), models);
  const child = spawn(python, ["-m", "spar_worker", ...words, "--state-folder", paths.states], {
    env: pythonVariables(environment, { SPAR_WORKER_KEY: key }),
    stdio: ["ignore", log, log],
    detached: true,
  });
  closeSync(log);
  try {
    const { url, pid } = await listening(
      { child, paths, python, timeoutMs: options.startSeconds * 1000 },
      call,
    );
    const note = { name, url, pid, models, startedMs: start.nowMs };
    writeNote(paths, note);
    child.unref();
    return listed(dataFolder, note);
  } catch (thrown) {
    child.kill("SIGKILL");
    removeServer(paths);
    throw thrown;
  }
}

export function listServers({ dataFolder }: Surroundings): ListedServer[] {
  return readServers(dataFolder).map((note) => listed(dataFolder, note));
}

/** What is left after the end: the folder of states that clients saved, where there are any. */
export interface StoppedServer {
  readonly name: string;
  readonly wasAlive: boolean;
  readonly statesFolder: string | null;
}

/** @throws `invalid-input` for a name that none has, `deadline-exceeded` where it does not end */
export async function stopServer(
  { dataFolder }: Surroundings,
  name: string,
  call: CallOptions = {},
): Promise<StoppedServer> {
  const note = readServer(dataFolder, name);
  const wasAlive = isWorker(note.pid);
  if (wasAlive) {
    process.kill(note.pid, "SIGTERM");
    if (!(await isGone(note.pid, endTimeoutMs, call))) {
      process.kill(note.pid, "SIGKILL");
      if (!(await isGone(note.pid, endTimeoutMs, call))) throw doesNotEnd(note);
    }
  }
  return { name, wasAlive, statesFolder: removeServer(serverPaths(dataFolder, name)) };
}

function listed(dataFolder: string, note: ServerNote): ListedServer {
  const { key, log } = serverPaths(dataFolder, note.name);
  return { ...note, isAlive: isWorker(note.pid), keyFile: key, logFile: log };
}

function freeName({ dataFolder, name }: ServerStart): string {
  const known = readServers(dataFolder);
  if (name === undefined) {
    for (let number = 1; ; number++)
      if (known.every((server) => server.name !== `torch-${number}`)) return `torch-${number}`;
  }
  const taken = known.find((server) => server.name === name);
  if (taken === undefined) return name;
  throw engineError(
    "invalid-input",
    `a server called ${name} is ${isWorker(taken.pid) ? "running" : "noted"}`,
    {
      hint: `spar engine stop ${name} ends it, or choose another name`,
    },
  );
}

/** The number may have gone to another program since. */
function isWorker(processId: number): boolean {
  if (!isAlive(processId)) return false;
  if (process.platform === "win32") return true;
  const { stdout } = spawnSync("ps", ["-o", "command=", "-p", String(processId)], { encoding: "utf8" });
  return stdout.includes("spar_worker");
}

interface Starting {
  readonly child: ChildProcess;
  readonly paths: ServerPaths;
  readonly python: string;
  readonly timeoutMs: number;
}

async function listening(starting: Starting, call: CallOptions): Promise<{ url: string; pid: number }> {
  const { child, paths, python, timeoutMs } = starting;
  const what = "the start of the PyTorch worker";
  const end = Promise.withResolvers<Error>();
  child.on("error", (error) => end.resolve(pythonMissing(python, messageOf(error))));
  child.on("exit", (code, signal) => {
    end.resolve(didNotStart(endInWords(code, signal), readFileSync(paths.log, "utf8"), python));
  });
  for (let waitedMs = 0; waitedMs < timeoutMs; waitedMs += lookEveryMs) {
    throwIfAborted(call.signal, { boundary: "engine", what });
    const failure = await Promise.race([
      pause({ boundary: "engine", what, timeoutMs: lookEveryMs, ...call }),
      end.promise,
    ]);
    if (failure !== undefined) throw failure;
    for (const line of readFileSync(paths.log, "utf8").split("\n")) {
      const ready = readReady(line);
      if (ready !== null) return ready;
    }
  }
  throw didNotListen(timeoutMs, readFileSync(paths.log, "utf8"));
}

async function isGone(processId: number, timeoutMs: number, call: CallOptions): Promise<boolean> {
  const what = "the end of the PyTorch worker";
  for (let waitedMs = 0; waitedMs < timeoutMs; waitedMs += lookEveryMs) {
    if (!isAlive(processId)) return true;
    await pause({ boundary: "engine", what, timeoutMs: lookEveryMs, ...call });
  }
  return !isAlive(processId);
}

function doesNotEnd({ name, pid }: ServerNote): Error {
  return engineError("deadline-exceeded", `the server ${name}, process ${pid}, does not end`, {
    hint: "it may wait for a disk or a GPU: look at it with the tools of the system",
  });
}
