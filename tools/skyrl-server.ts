/** A SkyRL server with its JAX backend, in folders of its own, for as long as this process needs it. */
import { mkdtemp, open, readFile, rm } from "node:fs/promises";
import { createServer, type AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { delimiter, dirname, join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { startWatched } from "./watched.ts";

export interface SkyrlOptions {
  /** The interpreter of an environment with `skyrl[jax,tinker]` and aiohttp. */
  readonly python: string;
  /** A folder in the hub's format. */
  readonly model: string;
  /** Settings of the JAX backend, as JSON. */
  readonly backendConfig: string;
  readonly startTimeoutMs: number;
  readonly signal: AbortSignal;
}

export interface SkyrlServer {
  readonly url: string;
  /** Where it writes what it does. */
  readonly log: string;
  stop(): Promise<void>;
}

/** @throws with the end of its log when it does not answer in time */
export async function startSkyrl(options: SkyrlOptions): Promise<SkyrlServer> {
  const folder = await mkdtemp(join(tmpdir(), "spar-skyrl-"));
  const log = join(folder, "server.log");
  const port = await freePort();
  const file = await open(log, "w");
  const server = startWatched(commandOf(options, folder, port), {
    output: file.fd,
    env: environmentOf(options.python),
  });
  await file.close();
  const stop = async (): Promise<void> => {
    await server.stop();
    await rm(folder, { recursive: true, force: true });
  };
  const url = `http://127.0.0.1:${port}`;
  const ended = new AbortController();
  void server.exited.then((code) => ended.abort(new Error(`it has ended with exit code ${code}`)));
  const signals = [options.signal, ended.signal, AbortSignal.timeout(options.startTimeoutMs)];
  try {
    await untilHealthy(url, AbortSignal.any(signals));
    return { url, log, stop };
  } catch (cause) {
    const text = await readFile(log, "utf8").catch(() => "");
    await stop();
    throw new Error(`expected SkyRL to answer at ${url}: ${String(cause)}\n${text.slice(-4000)}`, { cause });
  }
}

/** It asks its parent process how it was started, so that must be `uv run`. */
function commandOf({ model, backendConfig }: SkyrlOptions, folder: string, port: number): string[] {
  const server = ["uv", "run", "--no-project", "--active", "-m", "skyrl.tinker.api"];
  const backend = ["--base-model", model, "--backend", "jax", "--backend-config", backendConfig];
  const place = ["--host", "127.0.0.1", "--port", String(port)];
  const database = ["--database-url", `sqlite:///${folder}/tinker.db`];
  return [...server, ...backend, ...place, ...database, "--checkpoints-base", join(folder, "states")];
}

function environmentOf(python: string): NodeJS.ProcessEnv {
  const environment = dirname(dirname(python));
  const path = `${join(environment, "bin")}${delimiter}${process.env["PATH"] ?? ""}`;
  return { JAX_PLATFORMS: "cpu", ...process.env, VIRTUAL_ENV: environment, PATH: path };
}

async function untilHealthy(url: string, signal: AbortSignal): Promise<void> {
  for (;;) {
    const answer = await fetch(`${url}/api/v1/healthz`, { signal }).catch(() => null);
    if (answer?.ok === true) return;
    signal.throwIfAborted();
    await pause(500, undefined, { signal });
  }
}

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => void server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => void server.close(resolve));
  return port;
}
