/**
 * `startRun` and `resumeRun`: check everything, open the folder and the engine, call the recipe, close
 * both whatever happens. The command line and tests call them. Knows no method.
 */
import { basename } from "node:path";
import type { z } from "zod";
import { isSparError, messageOf, type Clock, type JsonObject, type JsonValue } from "../base/index.ts";
import type { Engine } from "../contract/index.ts";
import { recordsVersion } from "../records/index.ts";
import { RunStore, type RunManifest } from "../store/index.ts";
import { DurableRun } from "./durable-run.ts";
import { goOnAfterLoss } from "./going-on.ts";
import { tell, type RunObserver } from "./observer.ts";
import { optionsToJson, resolveOptions } from "./options.ts";
import type { OptionsSchema, Recipe } from "./recipe.ts";
import { replayOnlyEngine } from "./replay-engine.ts";
import { checkEngine, checkNeeds, checkpointOption, optionsOfRun } from "./run-checks.ts";
import { RunReports } from "./run-reports.ts";
import { parseEffects, resumableStepCount, Standing } from "./step-effects.ts";
import { withEngine, type EngineUse } from "./with-engine.ts";

interface ExecuteOptions<Schema extends OptionsSchema> {
  readonly recipe: Recipe<Schema>;
  /** The folder of the run, such as `runs/spin-nano-1`; its last part is the id of the run. */
  readonly folder: string;
  /** Makes the engine; called once, after everything that can be checked without it was checked. */
  readonly engineFactory: (signal: AbortSignal) => Promise<Engine>;
  readonly clock: Clock;
  readonly signal?: AbortSignal;
  readonly observer?: RunObserver;
  /** The longest that the engine may take to start, to make, save, restore or publish a model. Default 10 minutes. */
  readonly engineTimeoutMs?: number;
  /** How long a step may take to end after the signal, and the engine to close. Default 10 s. */
  readonly stopTimeoutMs?: number;
}

export interface StartRunOptions<Schema extends OptionsSchema> extends ExecuteOptions<Schema> {
  readonly preset: string;
  /** Values over those of the preset, nested like the schema. */
  readonly overrides?: JsonObject;
  readonly seed: number;
  /** Where the recipe was loaded from, where it does not come with spar; kept for resuming. */
  readonly recipeFile?: string;
  /** What was asked for: `embedded`. */
  readonly engineName: string;
  /** Options of the engine itself that were given, for resuming. */
  readonly engineOptions?: JsonObject;
  /** For the run folder: the version of spar, of Node, and the commit where it is known. */
  readonly software: RunManifest["software"];
  /** Save models after every so many steps that change one. Default: the option of this name, else 1. */
  readonly checkpointEverySteps?: number;
}

export interface ResumeRunOptions<Schema extends OptionsSchema> extends ExecuteOptions<Schema> {
  /** Options that are expected; refused where the run began with others. */
  readonly overrides?: JsonObject;
}

export interface RunOutcome {
  readonly id: string;
  readonly folder: string;
  /** What the recipe returned. */
  readonly result: JsonValue;
}

/**
 * Begins a run and executes it to its end.
 *
 * @throws `unknown-preset`, `unknown-option`, `invalid-option`, `capability-missing` before anything
 * is written; `run-exists`, `store-read-only`, `disk-full`; `engine-lost` when that happened twice between two steps; `aborted` when the signal fired, after
 * which the run can be resumed; whatever the recipe threw
 */
export async function startRun<Schema extends OptionsSchema>(
  options: StartRunOptions<Schema>,
): Promise<RunOutcome> {
  const { folder, signal, observer } = options;
  const { overrides: _overrides, ...rest } = options;
  return goOnAfterLoss({
    folder,
    signal,
    observer,
    first: (watched) => startOnce({ ...options, observer: watched }),
    next: (watched) => resumeOnce({ ...rest, observer: watched }),
  });
}

async function startOnce<Schema extends OptionsSchema>(
  options: StartRunOptions<Schema>,
): Promise<RunOutcome> {
  const { recipe, preset, folder, seed, clock } = options;
  const recipeOptions = resolveOptions(recipe, preset, options.overrides);
  return withEngine(engineUse(options), async (engine) => {
    checkNeeds(recipe, recipeOptions, engine);
    const manifest: RunManifest = {
      recordsVersion,
      id: basename(folder),
      recipe: {
        id: recipe.id,
        version: recipe.version,
        paper: recipe.paper,
        ...(options.recipeFile === undefined ? {} : { file: options.recipeFile }),
      },
      preset,
      options: optionsToJson(recipeOptions),
      seed,
      checkpointEverySteps: options.checkpointEverySteps ?? checkpointOption(recipeOptions),
      engine: {
        name: options.engineName,
        description: engine.description,
        capabilities: [...engine.capabilities].toSorted(),
        ...(options.engineOptions === undefined ? {} : { options: options.engineOptions }),
      },
      software: options.software,
      createdMs: clock.nowMs(),
    };
    const store = RunStore.create(folder, manifest, clock);
    return execute(options, { store, engine, recipeOptions, repeatedSteps: [] });
  });
}

/**
 * Goes on with a run from its last commit whose models are all saved. A finished run gives its result
 * again, without an engine and without writing anything.
 *
 * @throws `run-changed` where recipe, options or the order of steps are not those of the run,
 * `engine-changed`; the errors of `RunStore.open`; those of `startRun`
 */
export async function resumeRun<Schema extends OptionsSchema>(
  options: ResumeRunOptions<Schema>,
): Promise<RunOutcome> {
  const { folder, signal, observer } = options;
  const live = (watched: RunObserver): Promise<RunOutcome> => resumeOnce({ ...options, observer: watched });
  return goOnAfterLoss({ folder, signal, observer, first: live, next: live });
}

async function resumeOnce<Schema extends OptionsSchema>(
  options: ResumeRunOptions<Schema>,
): Promise<RunOutcome> {
  const finished = RunStore.openFinished(options.folder, options.clock);
  if (finished !== null) return tellAgain(options, finished);
  const store = RunStore.open(options.folder, options.clock);
  try {
    const recipeOptions = optionsOfRun(options.recipe, store.manifest, options.overrides);
    const repeatedSteps = goBack(store);
    return await withEngine(engineUse(options), async (engine) => {
      checkEngine(store.manifest, engine);
      return execute(options, { store, engine, recipeOptions, repeatedSteps });
    });
  } finally {
    store.close();
  }
}

/** The reports and the result of a finished run. */
async function tellAgain<Schema extends OptionsSchema>(
  options: ResumeRunOptions<Schema>,
  store: RunStore,
): Promise<RunOutcome> {
  try {
    const recipeOptions = optionsOfRun(options.recipe, store.manifest, options.overrides);
    const engine = replayOnlyEngine(store.manifest);
    return await execute(options, { store, engine, recipeOptions, repeatedSteps: [] });
  } finally {
    store.close();
  }
}

function engineUse(options: ExecuteOptions<OptionsSchema>): EngineUse {
  const { engineFactory, signal, observer } = options;
  return {
    engineFactory,
    startTimeoutMs: options.engineTimeoutMs ?? defaultEngineTimeoutMs,
    closeTimeoutMs: options.stopTimeoutMs ?? defaultStopTimeoutMs,
    ...(signal === undefined ? {} : { signal }),
    ...(observer === undefined ? {} : { observer }),
  };
}

const defaultEngineTimeoutMs = 600_000;
const defaultStopTimeoutMs = 10_000;

interface Execution<Options> {
  readonly store: RunStore;
  readonly engine: Engine;
  readonly recipeOptions: Options;
  readonly repeatedSteps: readonly string[];
}

async function execute<Schema extends OptionsSchema>(
  options: ExecuteOptions<Schema>,
  execution: Execution<z.output<Schema>>,
): Promise<RunOutcome> {
  const { recipe, clock, observer } = options;
  const { store, engine, recipeOptions, repeatedSteps } = execution;
  const signal = options.signal ?? new AbortController().signal;
  const { id, preset } = store.manifest;
  const committedStepCount = store.steps.count();
  tell(observer, {
    kind: "run-start",
    id,
    folder: options.folder,
    recipe: recipe.id,
    preset,
    committedStepCount,
    repeatedSteps,
  });
  try {
    if (!store.steps.isFinished()) {
      store.event(committedStepCount === 0 ? "run-start" : "run-resume", {
        repeatedSteps: [...repeatedSteps],
        engine: optionsToJson(engine.description),
      });
    }
    const run = new DurableRun({
      store,
      engine,
      recipeOptions,
      reports: new RunReports(observer),
      clock,
      signal,
      observer,
      engineTimeoutMs: options.engineTimeoutMs ?? defaultEngineTimeoutMs,
      stopTimeoutMs: options.stopTimeoutMs ?? defaultStopTimeoutMs,
    });
    const result = await run.finish(await recipe.run(run));
    store.close();
    tell(observer, { kind: "run-end", outcome: "finished" });
    return { id, folder: options.folder, result };
  } catch (thrown) {
    const outcome = isSparError(thrown) && thrown.code === "aborted" ? "interrupted" : "failed";
    recordEnd(store, outcome, thrown);
    tell(observer, { kind: "run-end", outcome });
    throw thrown;
  }
}

/**
 * Closes the store with a last event. Best effort: the error that ended the run is the one to tell,
 * not that of a full disk after it.
 */
function recordEnd(store: RunStore, outcome: "interrupted" | "failed", thrown: unknown): void {
  const code = isSparError(thrown) ? thrown.code : "unknown";
  for (const last of [
    () => store.event(`run-${outcome}`, { code, message: messageOf(thrown) }),
    () => store.close(),
  ]) {
    try {
      last();
    } catch {
      continue;
    }
  }
}

/**
 * Gives up the steps after the last commit whose models are all saved, and left-over checkpoints.
 * Returns the names of those steps.
 */
function goBack(store: RunStore): readonly string[] {
  const steps = [...store.steps.each()].map((step) => ({ ...step, effects: parseEffects(step.effects) }));
  const keptCount = resumableStepCount(steps);
  const kept = steps.slice(0, keptCount);
  if (keptCount < steps.length) store.supersedeFrom(keptCount);
  const standing = new Standing();
  for (const step of kept) standing.apply(step.result, step.effects);
  store.checkpoints.removeOthers(standing.neededFolders());
  return steps.slice(keptCount).map((step) => step.name);
}
