/**
 * One execution of a run from the command line: presenter, interrupts, engine, and what is said and
 * left behind when it ends, well or not. Shared by `run` and `resume`.
 */
import { existsSync, rmSync } from "node:fs";
import { basename, join, sep } from "node:path";
import { isSparError } from "../base/index.ts";
import type { Engine } from "../contract/index.ts";
import { isRunFolder, openRunReader, RunReader, type RunManifest } from "../store/index.ts";
import type { Recipe, RunObserver, RunOutcome } from "../train/index.ts";
import { modulesByFolder } from "./discovery/package-folder.ts";
import { startEngine, type EngineSettings, type LocatedEngine } from "./discovery/engines.ts";
import { createJsonPresenter } from "./present/json-presenter.ts";
import type { Presenter } from "./present/presenter.ts";
import { createTextPresenter } from "./present/text-presenter.ts";
import { commandName } from "./command-name.ts";
import { runsFolderOf } from "./runs-folder.ts";
import type { Shell } from "./shell.ts";
import { shownPath } from "./shown-path.ts";

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
  readonly engineFactory: () => Promise<Engine>;
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
  const engineFactory = async (): Promise<Engine> => {
    const engine = await startEngine(options.engine, options.settings);
    presenter.header(headerOf(options, engine.description));
    return engine;
  };
  // A finished run is told again without its engine.
  if (options.knownEngine !== null) presenter.header(headerOf(options, options.knownEngine));
  let hasBegun = false;
  const observer: RunObserver = (event) => {
    hasBegun ||= event.kind === "run-start";
    presenter.observe(event);
  };
  try {
    const outcome = await start({ signal: interrupts.signal, observer, engineFactory });
    const elapsedMs = shell.clock.monotonicMs() - startedMs;
    presenter.summary({ result: outcome.result, elapsedMs, folder, next: nextCommands(options, shell) });
  } catch (thrown) {
    const isKept = wasThere || keepsAnything(folder);
    if (!isKept) rmSync(folder, { recursive: true, force: true });
    if (hasBegun) shell.sayLast(...lastWords({ thrown, isKept, folder, shell }));
    throw thrown;
  } finally {
    presenter.end();
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

/** Whether a run that did not end well holds a finished step or turn that somebody could miss. */
function keepsAnything(folder: string): boolean {
  if (!isRunFolder(folder)) return false;
  using reader = openRunReader(folder);
  for (const step of reader.steps()) if (step.kind !== "end") return true;
  for (const episode of reader.episodes()) if (episode.turnCount > 0) return true;
  return false;
}

/** What somebody wants to know who sees a run end early. */
function lastWords(state: {
  readonly thrown: unknown;
  readonly isKept: boolean;
  readonly folder: string;
  readonly shell: Shell;
}): string[] {
  const { thrown, isKept, folder, shell } = state;
  const isStopped = isSparError(thrown) && thrown.code === "aborted";
  if (!isKept) return isStopped ? ["stopped before anything was finished; nothing is left behind"] : [];
  const resume = `${commandName(shell)} resume ${runArgument(folder, shell)}`;
  return isStopped
    ? [`stopped; go on with: ${resume}`]
    : [`what was finished is kept; go on with: ${resume}`];
}

/** Commands as they can be pasted. */
function nextCommands({ folder, examplePrompt }: SessionOptions, shell: Shell): string[] {
  const run = runArgument(folder, shell);
  const spar = commandName(shell);
  const game = playedGame(folder, shell);
  const play = game === null ? [] : [`${spar} play ${game} --against ${run}`];
  const prompt = examplePrompt === null ? "" : ` --prompt ${quoteWord(examplePrompt)}`;
  return [...play, `${spar} sample ${run}${prompt}`, `${spar} replay ${run}`, `${spar} export ${run}`];
}

/** One word of a shell: in double quotes where those of all shells agree, in single ones elsewhere. */
function quoteWord(text: string): string {
  return /^[\w+\-*/=.,:;?<>() ]*$/u.test(text) ? `"${text}"` : `'${text.replaceAll("'", String.raw`'\''`)}'`;
}

/** What the run played first, where it is a game of ours that a person can sit down at. */
function playedGame(folder: string, shell: Shell): string | null {
  // Its last process has just written it: no need to look for damage.
  using reader = new RunReader(folder, { looksForDamage: false });
  const [first] = reader.episodes();
  const known = modulesByFolder(shell.place, "src/games", "game");
  return known.find(({ id }) => id === first?.start.game)?.id ?? null;
}

/** How a run is named on the command line: short where it lies in the usual place. */
export function runArgument(folder: string, shell: Shell): string {
  const usual = join(runsFolderOf(shell, undefined), basename(folder));
  if (folder === usual) return basename(folder);
  const shown = shownPath(folder, shell.workingFolder);
  // Without the dot it could be read as the name of a run.
  return shown === folder ? folder : `.${sep}${shown}`;
}
