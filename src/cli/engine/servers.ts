/** Servers of engines that outlive a run, from the command line. What a server is, the engine knows. */
import { SparError, suggestName, type JsonObject } from "../../base/index.ts";
import { surroundingsOf } from "../commands/engine-options.ts";
import type { ListedServer } from "../discovery/engine-work.ts";
import { listEngines, type LocatedEngine } from "../discovery/engines.ts";
import { listOptionPaths } from "../options/option-paths.ts";
import type { Shell } from "../shell.ts";
import { shownPath } from "../shown-path.ts";
import { listingTable } from "../terminal/table.ts";

/** What commands about servers share. */
export interface OutputOptions {
  readonly json?: boolean;
}

export interface StartServerOptions extends OutputOptions {
  readonly name?: string;
  readonly model: readonly string[];
  readonly threads?: number;
  readonly own: JsonObject;
}

export async function startEngineServer(
  { id, module }: LocatedEngine,
  options: StartServerOptions,
  shell: Shell,
): Promise<void> {
  const { screen, clock, workingFolder } = shell;
  const interrupts = shell.listenForInterrupts(() => ["", "stopping: the server is not started"]);
  try {
    const started = await module.startServer?.(
      {
        ...surroundingsOf(shell),
        ...(options.name === undefined ? {} : { name: options.name }),
        ...(options.threads === undefined ? {} : { threadCount: options.threads }),
        models: options.model,
        options: options.own,
        nowMs: clock.nowMs(),
        onProgress: (text) => screen.notice(text),
      },
      { signal: interrupts.signal },
    );
    if (started === undefined) return;
    if (options.json === true) return screen.print(JSON.stringify(serverJson(id, started)));
    screen.print(
      `${started.name} listens at ${started.url}, process ${started.pid}`,
      `its key is in ${shownPath(started.keyFile, workingFolder)}, its log in ${shownPath(started.logFile, workingFolder)}`,
      `use it: --engine ${id} --engine-set server=${started.name}; end it: spar engine stop ${started.name}`,
    );
  } finally {
    interrupts.stopListening();
  }
}

export async function stopEngineServer(name: string, options: OutputOptions, shell: Shell): Promise<void> {
  const { screen, workingFolder } = shell;
  const surroundings = surroundingsOf(shell);
  const known = await allServers(shell);
  const found = known.find(({ server }) => server.name === name);
  if (found === undefined)
    throw unknownServer(
      name,
      known.map(({ server }) => server.name),
    );
  const stopped = await found.engine.module.stopServer?.(surroundings, name);
  if (stopped === undefined) return;
  const { wasAlive, statesFolder } = stopped;
  if (options.json === true) return screen.print(JSON.stringify({ name, wasAlive, statesFolder }));
  screen.print(`${name} ${wasAlive ? "has ended" : "had ended already, and is forgotten"}`);
  if (statesFolder !== null)
    screen.print(`what clients saved there stays in ${shownPath(statesFolder, workingFolder)}`);
}

export async function listEngineServers(options: OutputOptions, shell: Shell): Promise<void> {
  const { screen } = shell;
  const { style, maximumWidth } = screen;
  const servers = await allServers(shell);
  const engines = await loadedEngines(shell);
  const optionRows = engines.flatMap(({ id, module }) =>
    module.options === undefined
      ? []
      : listOptionPaths(module.options).map(({ name, description }) => [id, name, description]),
  );
  if (options.json === true) {
    const listed = servers.map(({ engine, server }) => serverJson(engine.id, server));
    const engineOptions = optionRows.map(([engine, name, meaning]) => ({ engine, name, meaning }));
    return screen.print(JSON.stringify({ servers: listed, engineOptions }));
  }
  const rows = servers.map(({ engine, server }) => [
    server.name,
    engine.id,
    server.isAlive ? "alive" : "dead",
    server.url,
    String(server.pid),
    `${new Date(server.startedMs).toISOString().slice(0, 16).replace("T", " ")} UTC`,
    server.models.join(", "),
  ]);
  const names = ["server", "engine", "state", "address", "process", "since", "models"];
  screen.print(
    style.heading("Servers"),
    ...listingTable(names, rows, maximumWidth),
    "",
    style.heading("Options of engines, for --engine-set"),
    ...listingTable(["engine", "option", "meaning"], optionRows, maximumWidth),
  );
}

interface EngineServer {
  readonly engine: LocatedEngine;
  readonly server: ListedServer;
}

async function allServers(shell: Shell): Promise<EngineServer[]> {
  const surroundings = surroundingsOf(shell);
  return (await loadedEngines(shell)).flatMap((engine) =>
    (engine.module.listServers?.(surroundings) ?? []).map((server) => ({ engine, server })),
  );
}

/** Each once, whatever its executors. */
async function loadedEngines({ place }: Shell): Promise<LocatedEngine[]> {
  const listed = await listEngines(place);
  return listed.flatMap((one) => (one.kind === "loaded" && !one.id.includes(":") ? [one.located] : []));
}

function serverJson(engine: string, { name, ...server }: ListedServer): object {
  return { name, engine, ...server };
}

function unknownServer(name: string, names: readonly string[]): SparError {
  return new SparError({
    code: "unknown-server",
    boundary: "command",
    message: `no server is called "${name}"`,
    hint:
      names.length === 0 ? "none was started; spar engine start torch begins one" : suggestName(name, names),
  });
}
