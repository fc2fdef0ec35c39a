/**
 * Finds engines: by folder in the package (`engines/<id>/engine.ts`), or one's own by path. Loaded by
 * dynamic import, so that nobody pays for an engine that is not used.
 */
import { resolve } from "node:path";
import { messageOf, SparError, suggestName } from "../../base/index.ts";
import type { Capability, Engine } from "../../contract/index.ts";
import { loadModule, looksLikePath } from "./load-module.ts";
import { modulesByFolder, type PackageFolder } from "./package-folder.ts";

/** What the command line tells an engine. */
export interface EngineSettings {
  /** Threads of arithmetic; left out, the engine takes all cores. */
  readonly threadCount?: number;
}

/** What `engine.ts` of an engine exports. */
export interface EngineModule {
  createEngine(settings: EngineSettings): Engine | Promise<Engine>;
  /** What it can do, where that is known without starting it. */
  readonly capabilities?: Iterable<Capability>;
}

export interface LocatedEngine {
  /** The id of one of ours, the full path of another. */
  readonly id: string;
  readonly module: EngineModule;
}

export interface EngineRequest {
  /** An id, or the path of a file that exports `createEngine`. */
  readonly typed: string;
  readonly place: PackageFolder;
  readonly workingFolder: string;
}

export function listEngineIds(place: PackageFolder): string[] {
  return modulesByFolder(place, "src/engines", "engine").map(({ id }) => id);
}

/**
 * @throws `unknown-engine`, `engine-unavailable`, `file-missing`, `module-unreadable`
 */
export async function findEngine(request: EngineRequest): Promise<LocatedEngine> {
  const { typed, place } = request;
  if (looksLikePath(typed)) {
    const file = resolve(request.workingFolder, typed);
    return { id: file, module: await loadEngineModule(file, file) };
  }
  const known = modulesByFolder(place, "src/engines", "engine");
  const found = known.find(({ id }) => id === typed);
  if (found !== undefined) return { id: typed, module: await loadEngineModule(typed, found.file) };
  throw new SparError({
    code: "unknown-engine",
    boundary: "command",
    message: `no engine is called "${typed}"`,
    hint: suggestName(
      typed,
      known.map(({ id }) => id),
    ),
  });
}

/** Starts an engine. @throws `engine-unavailable` where it does not start */
export async function startEngine(located: LocatedEngine, settings: EngineSettings): Promise<Engine> {
  try {
    return await located.module.createEngine(settings);
  } catch (thrown) {
    throw engineUnavailable(located.id, thrown);
  }
}

/** What an engine can do: as its module says, else as it says once started. */
export async function capabilitiesOf(located: LocatedEngine): Promise<ReadonlySet<Capability>> {
  if (located.module.capabilities !== undefined) return new Set(located.module.capabilities);
  const engine = await startEngine(located, {});
  try {
    return engine.capabilities;
  } finally {
    await engine.close();
  }
}

async function loadEngineModule(id: string, file: string): Promise<EngineModule> {
  let exports: Readonly<Record<string, unknown>>;
  try {
    exports = await loadModule({ file, kind: "engine" });
  } catch (thrown) {
    if (looksLikePath(id)) throw thrown;
    throw engineUnavailable(id, thrown);
  }
  if (isEngineModule(exports)) return exports;
  throw new SparError({
    code: "not-an-engine",
    boundary: "command",
    message: `${file} does not export createEngine`,
    hint: "export a function createEngine(settings) that returns an Engine of spar/contract",
  });
}

function isEngineModule(value: object): value is EngineModule {
  return "createEngine" in value && typeof value.createEngine === "function";
}

function engineUnavailable(id: string, thrown: unknown): SparError {
  return new SparError({
    code: "engine-unavailable",
    boundary: "engine",
    message: `engine ${id} does not start: ${messageOf(thrown)}`,
    hint: "spar doctor says what is missing, with the command that installs it",
    cause: thrown,
  });
}
