/**
 * Finds engines: by folder in the package (`engines/<id>/engine.ts`), or one's own by path. Loaded by
 * dynamic import, so that nobody pays for an engine that is not used.
 */
import { resolve } from "node:path";
import { isSparError, messageOf, SparError, suggestName } from "../../base/index.ts";
import type { Capability, Engine } from "../../contract/index.ts";
import { loadModule, looksLikePath } from "./load-module.ts";
import { modulesByFolder, type PackageFolder } from "./package-folder.ts";

/** What the command line tells an engine. */
export interface EngineSettings {
  /** Threads of arithmetic; left out, the engine takes all cores. */
  readonly threadCount?: number;
  /** What executes the arithmetic, where an engine has several ways: one of its `executors`. */
  readonly executor?: string;
}

/** What `engine.ts` of an engine exports. */
export interface EngineModule {
  createEngine(settings: EngineSettings): Engine | Promise<Engine>;
  /** What it can do, where that is known without starting it. */
  readonly capabilities?: Iterable<Capability>;
  /** The executors that a user may choose, the usual one first: `embedded:native`. */
  readonly executors?: readonly string[];
}

export interface LocatedEngine {
  /** The id of one of ours, the full path of another. */
  readonly id: string;
  readonly module: EngineModule;
}

export interface EngineRequest {
  /** An id, an id with an executor (`embedded:native`), or the path of a file that exports `createEngine`. */
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
  const [name = "", executor] = typed.split(":", 2);
  const found = known.find(({ id }) => id === name);
  if (found === undefined) {
    throw unknownEngine(
      typed,
      known.map(({ id }) => id),
    );
  }
  const module = await loadEngineModule(name, found.file);
  return executor === undefined ? { id: name, module } : withExecutor({ id: name, module }, executor);
}

/** The engine with one of its executors chosen; its capabilities are then asked of it, not of its module. */
function withExecutor({ id, module }: LocatedEngine, executor: string): LocatedEngine {
  const { executors = [] } = module;
  const typed = `${id}:${executor}`;
  if (!executors.includes(executor)) {
    throw unknownEngine(
      typed,
      executors.map((name) => `${id}:${name}`),
    );
  }
  return {
    id: typed,
    module: { createEngine: (settings) => module.createEngine({ ...settings, executor }) },
  };
}

function unknownEngine(typed: string, known: readonly string[]): SparError {
  return new SparError({
    code: "unknown-engine",
    boundary: "command",
    message: `no engine is called "${typed}"`,
    hint: suggestName(typed, known),
  });
}

/** Starts an engine. @throws `package-missing`, `engine-unavailable` where it does not start */
export async function startEngine(located: LocatedEngine, settings: EngineSettings): Promise<Engine> {
  try {
    return await located.module.createEngine(settings);
  } catch (thrown) {
    // It names the package and how to install it.
    if (isSparError(thrown) && thrown.code === "package-missing") throw thrown;
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
