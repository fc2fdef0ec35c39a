/**
 * One execution of a run from the command line: presenter, interrupts, engine, and what is said when it
 * ends. Shared by `run` and `resume`.
 */
import { existsSync } from "node:fs";
import type { Engine } from "../contract/index.ts";
import { RunReader, type RunManifest } from "../store/index.ts";
import type { Recipe, RunObserver, RunOutcome } from "../train/index.ts";
import { modulesByFolder } from "./discovery/package-folder.ts";
import { startEngine, type EngineSettings, type LocatedEngine } from "./discovery/engines.ts";
import { createJsonPresenter } from "./present/json-presenter.ts";
import type { Presenter } from "./present/presenter.ts";
import { createTextPresenter } from "./present/text-presenter.ts";
import { commandName } from "./command-name.ts";
import { createEngineLog } from "./engine-log.ts";
import { endEarly } from "./early-end.ts";
import { runArgument } from "./run-argument.ts";
import type { Shell } from "./shell.ts";
import { quotedWord } from "./shell-word.ts";

export interface SessionOptions {
  readonly recipe: Recipe;
  readonly preset: string;
  readonly seed: number;
  readonly folder: string;
  readonly engine: LocatedEngine;
  /** As it was when the run began; null for a new run, whose engine has yet to start. */
  readonly knownEngine: KnownEngine | null;
  readonly settings: EngineSettings;
  /** What a trained model could be asked. */
  readonly examplePrompt: string | null;
  readonly isJson: boolean;
  readonly isQuiet: boolean;
}

/** What the header says of an engine. */
export interface KnownEngine {
  readonly executor: string;
  readonly precision: string;
  readonly threadCount: number;
}

/** What `startRun` and `resumeRun` need of the command line. */
export interface SessionParts {
  readonly signal: AbortSignal;
  readonly observer: RunObserver;
  readonly engineFactory: (signal: AbortSignal) => Promise<Engine>;
}

/** What `findRecipe` finds the recipe of a run by. */
export function recipeOfRun(manifest: RunManifest): string {
  return manifest.recipe.file ?? manifest.recipe.id;
}

/** Runs `start` under a presenter and with ctrl-C taken over; reports how it ended. */
export async function runSession(
  options: SessionOptions,
  shell: Shell,
  start: (parts: SessionParts) => Promise<RunOutcome>,
): Promise<void> {
  const { folder } = options;
  const wasThere = existsSync(folder);
  const presenter = createPresenter(options, shell);
  const interrupts = shell.listenForInterrupts();
  const startedMs = shell.clock.monotonicMs();
  const log = createEngineLog(folder);
  const settings: EngineSettings = {
    ...options.settings,
    onLog: log.write,
    onProgress: (text) => presenter.observe({ kind: "notice", text }),
  };
  const engineFactory = async (signal: AbortSignal): Promise<Engine> => {
    const engine = await startEngine(options.engine, settings, { signal });
    presenter.header(headerOf(options, engine.description));
    return engine;
  };
  // A finished run is told again without its engine.
  if (options.knownEngine !== null) presenter.header(headerOf(options, options.knownEngine));
  let hasBegun = false;
  const observer: RunObserver = (event) => {
    hasBegun ||= event.kind === "run-start";
    presenter.observe(event);
    log.flush();
  };
  try {
    const outcome = await start({ signal: interrupts.signal, observer, engineFactory });
    const elapsedMs = shell.clock.monotonicMs() - startedMs;
    presenter.summary({ result: outcome.result, elapsedMs, folder, next: nextCommands(options, shell) });
  } catch (thrown) {
    shell.sayLast(...endEarly({ thrown, folder, wasThere, hasBegun }, shell));
    throw thrown;
  } finally {
    presenter.end();
    log.flush();
    interrupts.stopListening();
  }
}

function createPresenter(options: SessionOptions, shell: Shell): Presenter {
  const { screen, clock, workingFolder } = shell;
  return options.isJson
    ? createJsonPresenter(screen)
    : createTextPresenter({ screen, clock, isQuiet: options.isQuiet, workingFolder });
}

function headerOf(options: SessionOptions, engine: KnownEngine): Parameters<Presenter["header"]>[0] {
  const { executor, precision, threadCount } = engine;
  return {
    recipe: options.recipe.id,
    title: options.recipe.title,
    preset: options.preset,
    engine: `${options.engine.id} (${executor}, ${precision})`,
    threadCount,
    seed: options.seed,
  };
}

/** Commands as they can be pasted. */
function nextCommands({ folder, examplePrompt }: SessionOptions, shell: Shell): string[] {
  const run = runArgument(folder, shell);
  const spar = commandName(shell);
  const game = playedGame(folder, shell);
  const play = game === null ? [] : [`${spar} play ${game} --against ${run}`];
  const prompt = examplePrompt === null ? "" : ` --prompt ${quotedWord(examplePrompt)}`;
  // Whoever can sit down at the game has no need to write its prompts.
  const sample = game !== null && examplePrompt === null ? [] : [`${spar} sample ${run}${prompt}`];
  return [...play, ...sample, `${spar} replay ${run}`, `${spar} export ${run}`];
}

/** What the run played first, where it is a game of ours that a person can sit down at. */
function playedGame(folder: string, shell: Shell): string | null {
  // Its last process has just written it: no need to look for damage.
  using reader = new RunReader(folder, { looksForDamage: false });
  const [first] = reader.episodes();
  const known = modulesByFolder(shell.place, "src/games", "game");
  return known.find(({ id }) => id === first?.start.game)?.id ?? null;
}
