/**
 * Finds engines: by folder in the package (`engines/<id>/engine.ts`), or one's own by path. Loaded by
 * dynamic import, so that nobody pays for an engine that is not used.
 */
import { resolve } from "node:path";
import { isSparError, messageOf, SparError, suggestName } from "../../base/index.ts";
import type { CallOptions, JsonObject } from "../../base/index.ts";
import type { Capability, Engine } from "../../contract/index.ts";
import type { OptionsSchema } from "../../train/index.ts";
import type { EngineWork } from "./engine-work.ts";
import { loadModule, looksLikePath } from "./load-module.ts";
import { modulesByFolder, type PackageFolder } from "./package-folder.ts";

/** What the command line tells an engine. */
export interface EngineSettings {
  /** Threads of arithmetic; left out, the engine takes all cores. */
  readonly threadCount?: number;
  /** What executes the arithmetic, where an engine has several ways: one of its `executors`. */
  readonly executor?: string;
  /** The server's address, for engines that speak to one. */
  readonly url?: string;
  /** The server's key; never written anywhere. */
  readonly key?: string;
  /** Options of the engine itself, as its `options` knows them. */
  readonly options?: JsonObject;
  /** For processes that an engine starts. */
  readonly environment?: EngineSurroundings["environment"];
  /** Where engines that were installed lie. */
  readonly dataFolder?: string;
  /** Told what is being waited for while the engine starts, for people. */
  readonly onProgress?: (text: string) => void;
  /** Given what a process of the engine writes, in pieces. */
  readonly onLog?: (text: string) => void;
}

/** What an engine is told of the machine. */
export interface EngineSurroundings {
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly dataFolder: string;
}

/** What `engine.ts` of an engine exports. */
export interface EngineModule extends EngineWork {
  createEngine(settings: EngineSettings, call?: CallOptions): Engine | Promise<Engine>;
  /** Its own options, where it has any: what `--engine-set` takes. */
  readonly options?: OptionsSchema;
  /** What has to be typed before it starts here; null where nothing has. */
  setUpCommand?(surroundings: EngineSurroundings): string | null;
  /** What it can do, where that is known without starting it. */
  readonly capabilities?: Iterable<Capability>;
  /** The executors that a user may choose, the usual one first: `embedded:native`. */
  readonly executors?: readonly ExecutorFacts[];
}

/** One way of executing the arithmetic, of an engine that has several. */
export interface ExecutorFacts {
  readonly name: string;
  /** What it can do, where that is known without starting it. */
  readonly capabilities?: Iterable<Capability>;
  /** What has to be typed before it starts here; null where nothing has. */
  setUpCommand?(): string | null;
}

export interface LocatedEngine {
  /** The id of one of ours, with the executor where one was chosen; the full path of another. */
  readonly id: string;
  readonly module: EngineModule;
  /** What has to be typed before it starts here; null where nothing is known to be. */
  readonly setUpCommand: string | null;
}

export type ListedEngine =
  | { readonly kind: "loaded"; readonly id: string; readonly located: LocatedEngine }
  | { readonly kind: "broken"; readonly id: string; readonly problem: string };

export interface EngineRequest {
  /** An id, an id with an executor (`embedded:native`), or the path of a file that exports `createEngine`. */
  readonly typed: string;
  readonly place: PackageFolder;
  readonly workingFolder: string;
}

/** Everything that `--engine` takes: the engines by folder, each followed by its executors beside the usual one. */
export async function listEngines(
  place: PackageFolder,
  surroundings: EngineSurroundings | null = null,
): Promise<ListedEngine[]> {
  const listed = knownEngines(place).map(async ({ id, file }): Promise<ListedEngine[]> => {
    try {
      const module = await loadEngineModule(id, file);
      const toSetUp = surroundings === null ? null : module.setUpCommand?.(surroundings);
      const usual: LocatedEngine = { id, module, setUpCommand: toSetUp ?? null };
      const others = (usual.module.executors ?? []).slice(1).map((facts) => withExecutor(usual, facts));
      return [usual, ...others].map((located) => ({ kind: "loaded", id: located.id, located }));
    } catch (thrown) {
      return [{ kind: "broken", id, problem: messageOf(thrown) }];
    }
  });
  return (await Promise.all(listed)).flat();
}

function knownEngines(place: PackageFolder): ReturnType<typeof modulesByFolder> {
  return modulesByFolder(place, "src/engines", "engine");
}

/** Whether this version has the engine of this id, whatever its executor. */
export function hasEngine(id: string, place: PackageFolder): boolean {
  return knownEngines(place).some((known) => known.id === id.split(":")[0]);
}

/**
 * @throws `unknown-engine`, `engine-unavailable`, `file-missing`, `module-unreadable`
 */
export async function findEngine(request: EngineRequest): Promise<LocatedEngine> {
  const { typed, place } = request;
  if (looksLikePath(typed)) {
    const file = resolve(request.workingFolder, typed);
    return { id: file, module: await loadEngineModule(file, file), setUpCommand: null };
  }
  const [name = "", executor] = typed.split(":", 2);
  const found = knownEngines(place).find(({ id }) => id === name);
  if (found === undefined) throw await unknownEngine(typed, place);
  const module = await loadEngineModule(name, found.file);
  const located: LocatedEngine = { id: name, module, setUpCommand: null };
  if (executor === undefined) return located;
  const facts = module.executors?.find((one) => one.name === executor);
  if (facts === undefined) throw await unknownEngine(typed, place);
  return withExecutor(located, facts);
}

/** The engine with one of its executors chosen. */
function withExecutor({ id, module, setUpCommand }: LocatedEngine, executor: ExecutorFacts): LocatedEngine {
  return {
    id: `${id}:${executor.name}`,
    module: {
      createEngine: (settings, call) => module.createEngine({ ...settings, executor: executor.name }, call),
      ...(module.options === undefined ? {} : { options: module.options }),
      ...(executor.capabilities === undefined ? {} : { capabilities: executor.capabilities }),
    },
    setUpCommand: executor.setUpCommand?.() ?? setUpCommand,
  };
}

async function unknownEngine(typed: string, place: PackageFolder): Promise<SparError> {
  const known = await listEngines(place);
  return new SparError({
    code: "unknown-engine",
    boundary: "command",
    message: `no engine is called "${typed}"`,
    hint: suggestName(
      typed,
      known.map(({ id }) => id),
    ),
  });
}

/** Starts an engine. @throws `package-missing`, `engine-unavailable` where it does not start */
export async function startEngine(
  located: LocatedEngine,
  settings: EngineSettings,
  call: CallOptions = {},
): Promise<Engine> {
  try {
    return await located.module.createEngine(settings, call);
  } catch (thrown) {
    // It names the package and how to install it; and who stopped it knows why.
    if (isSparError(thrown) && passedOn.has(thrown.code)) throw thrown;
    throw engineUnavailable(located.id, thrown);
  }
}

const passedOn: ReadonlySet<string> = new Set(["package-missing", "aborted"]);

/** What an engine can do: as its module says, else as it says once started. */
export async function capabilitiesOf(
  located: LocatedEngine,
  settings: EngineSettings = {},
): Promise<ReadonlySet<Capability>> {
  if (located.module.capabilities !== undefined) return new Set(located.module.capabilities);
  const engine = await startEngine(located, settings);
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
    hint:
      isSparError(thrown) && thrown.hint !== null
        ? thrown.hint
        : "spar doctor says what is missing, with the command that installs it",
    cause: thrown,
  });
}
