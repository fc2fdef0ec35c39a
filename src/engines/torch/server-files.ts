/**
 * What is noted of workers that outlive a run: a folder each with a note, the key in a file that only its user may read,
 * the log, and the states that clients saved there.
 */
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { z } from "zod";
import { suggestName } from "../../base/index.ts";
import { engineError } from "../../contract/index.ts";
import { torchFolder } from "./python.ts";

export interface ServerNote {
  readonly name: string;
  readonly url: string;
  readonly pid: number;
  /** `name=folder` as given. */
  readonly models: readonly string[];
  readonly startedMs: number;
}

export interface ServerPaths {
  readonly folder: string;
  readonly note: string;
  readonly key: string;
  readonly log: string;
  readonly states: string;
}

const noteSchema: z.ZodType<ServerNote> = z.object({
  name: z.string(),
  url: z.string(),
  pid: z.int().positive(),
  models: z.array(z.string()),
  startedMs: z.number(),
});

const namePattern = /^[a-z0-9][a-z0-9-]{0,39}$/u;

/** @throws `invalid-input` for a name that is none */
export function serverPaths(dataFolder: string, name: string): ServerPaths {
  if (!namePattern.test(name)) {
    throw engineError(
      "invalid-input",
      `expected a name of small letters, digits and -, got ${JSON.stringify(name)}`,
    );
  }
  const folder = join(serversFolder(dataFolder), name);
  return {
    folder,
    note: join(folder, "server.json"),
    key: join(folder, "key"),
    log: join(folder, "worker.log"),
    states: join(folder, "states"),
  };
}

export function readServers(dataFolder: string): ServerNote[] {
  const parent = serversFolder(dataFolder);
  if (!existsSync(parent)) return [];
  return readdirSync(parent)
    .filter((name) => namePattern.test(name))
    .toSorted()
    .flatMap((name) => readNote(serverPaths(dataFolder, name).note) ?? []);
}

/** @throws `invalid-input` where none has the name */
export function readServer(dataFolder: string, name: string): ServerNote {
  const found = readNote(serverPaths(dataFolder, name).note);
  if (found !== null) return found;
  const names = readServers(dataFolder).map((server) => server.name);
  throw engineError("invalid-input", `expected a server of engine torch, none is called "${name}"`, {
    hint: names.length === 0 ? "start one: spar engine start torch" : suggestName(name, names),
  });
}

export function readKey(dataFolder: string, name: string): string {
  return readFileSync(serverPaths(dataFolder, name).key, "utf8").trim();
}

/** Before the server starts: whoever may read the folder may not read the key. */
export function writeKey(paths: ServerPaths, key: string): void {
  mkdirSync(paths.states, { recursive: true, mode: 0o700 });
  rmSync(paths.key, { force: true });
  writeFileSync(paths.key, `${key}\n`, { mode: 0o600, flag: "wx" });
}

export function writeNote(paths: ServerPaths, note: ServerNote): void {
  const part = `${paths.note}.part`;
  writeFileSync(part, `${JSON.stringify(note, null, 2)}\n`);
  renameSync(part, paths.note);
}

/** Forgets a server; states that clients saved there stay. Gives their folder where there are any. */
export function removeServer(paths: ServerPaths): string | null {
  for (const file of [paths.note, paths.key, paths.log]) rmSync(file, { force: true });
  if (existsSync(paths.states) && readdirSync(paths.states).length > 0) return paths.states;
  rmSync(paths.folder, { recursive: true, force: true });
  return null;
}

function serversFolder(dataFolder: string): string {
  return join(torchFolder(dataFolder), "servers");
}

function readNote(file: string): ServerNote | null {
  if (!existsSync(file)) return null;
  try {
    return noteSchema.safeParse(JSON.parse(readFileSync(file, "utf8"))).data ?? null;
  } catch {
    return null;
  }
}
