/** `spar run RECIPE`: checks everything that can be checked, then runs the recipe in a folder of its own. */
import { join, resolve } from "node:path";
import { Option, type Command } from "commander";
import { SparError } from "../../base/index.ts";
import { missingCapabilities, type Capability } from "../../contract/index.ts";
import { nextRunFolder } from "../../store/index.ts";
import { randomOfRun, startRun } from "../../train/index.ts";
import { chooseEngine } from "../discovery/choose-engine.ts";
import {
  capabilitiesOf,
  listEngines,
  type EngineSettings,
  type LocatedEngine,
} from "../discovery/engines.ts";
import { requireInputs } from "../plan/make-report.ts";
import { prepareRecipe, stateOfInputs, type PreparedRecipe } from "../prepare.ts";
import { runSession } from "../run-session.ts";
import { runsFolderOf } from "../runs-folder.ts";
import type { Shell } from "../shell.ts";
import { softwareOf } from "../software.ts";
import { warnAboutSize } from "../plan/warn-about-size.ts";
import { addEngineOptions, engineSettings, type EngineOptions } from "./engine-options.ts";
import { wholeNumber } from "./number-argument.ts";
import { addCommonOptions, addRecipeOptions, type RecipeOptions } from "./recipe-options.ts";
import { addThreadOption } from "./thread-option.ts";

interface RunOptions extends RecipeOptions, EngineOptions {
  readonly name?: string;
  readonly runFolder?: string;
  readonly runsFolder?: string;
  readonly checkpointEvery?: number;
  readonly quiet?: boolean;
}

export function addRunCommand(program: Command, shell: Shell): void {
  const command = program
    .command("run <recipe>")
    .description("run a recipe: an id that spar list shows, or the path of a file of yours");
  addEngineOptions(addThreadOption(addRecipeOptions(command)))
    .option("--name <name>", "name of the run, below the folder of runs")
    .addOption(
      new Option("--run-folder <folder>", "the folder of the run itself").conflicts(["name", "runsFolder"]),
    )
    .option("--runs-folder <folder>", "where runs are kept; else SPAR_RUNS, else ./runs")
    .option(
      "--checkpoint-every <steps>",
      "save models after every so many steps that change one",
      wholeNumber({ minimum: 1 }),
    )
    .option("--json", "print events as JSON lines")
    .option("--quiet", "no progress")
    .action((recipe: string, options: RunOptions) => runRecipe(recipe, options, shell));
  addCommonOptions(command);
}

async function runRecipe(typed: string, options: RunOptions, shell: Shell): Promise<void> {
  const prepared = await prepareRecipe({ recipe: typed, ...options }, shell);
  const { recipe, ownFile } = prepared.located;
  const engine = await chooseEngine(prepared, shell);
  const settings = engineSettings(engine, options, shell);
  await requireCapabilities(engine, settings, prepared, shell);
  const folder = folderOf(recipe.id, prepared.presetName, options, shell);
  const plan = await recipe.plan(prepared.options, randomOfRun(options.seed));
  requireInputs({ inputs: stateOfInputs(plan, shell.workingFolder) });
  shell.screen.notice(...warnAboutSize(plan, folder));
  const session = {
    recipe,
    preset: prepared.presetName,
    seed: options.seed,
    folder,
    engine,
    knownEngine: null,
    settings,
    examplePrompt: recipe.examplePrompt?.(prepared.options) ?? null,
    isJson: options.json === true,
    isQuiet: options.quiet === true,
  };
  await runSession(session, shell, (parts) =>
    startRun({
      ...parts,
      recipe,
      folder,
      preset: prepared.presetName,
      overrides: prepared.overrides,
      seed: options.seed,
      engineName: engine.id,
      ...(settings.options === undefined ? {} : { engineOptions: settings.options }),
      ...(ownFile === null ? {} : { recipeFile: ownFile }),
      clock: shell.clock,
      software: softwareOf(shell.place),
      ...(options.checkpointEvery === undefined ? {} : { checkpointEverySteps: options.checkpointEvery }),
    }),
  );
}

/** Refuses an engine that cannot do what the recipe needs, naming those that can. @throws `capability-missing` */
async function requireCapabilities(
  engine: LocatedEngine,
  settings: EngineSettings,
  prepared: PreparedRecipe,
  shell: Shell,
): Promise<void> {
  const missing = missingCapabilities(await capabilitiesOf(engine, settings), prepared.needs);
  if (missing.length === 0) return;
  const able: string[] = [];
  for (const other of await listEngines(shell.place)) {
    if (other.kind === "broken") continue;
    // One that has to be asked, and cannot be, is no advice.
    const capabilities = await capabilitiesOf(other.located).catch(() => new Set<Capability>());
    if (missingCapabilities(capabilities, prepared.needs).length === 0) able.push(other.id);
  }
  throw new SparError({
    code: "capability-missing",
    boundary: "engine",
    message: `engine ${engine.id} lacks what preset ${prepared.presetName} of ${prepared.located.recipe.id} needs: ${missing.join(", ")}`,
    hint:
      able.length === 0
        ? "no engine here has all of it; choose another preset"
        : `engines that have it: ${able.join(", ")}`,
  });
}

const longestName = 100;
const runName = /^[A-Za-z0-9][A-Za-z0-9._-]*$/u;

function folderOf(recipeId: string, preset: string, options: RunOptions, shell: Shell): string {
  if (options.runFolder !== undefined) return resolve(shell.workingFolder, options.runFolder);
  const runsFolder = runsFolderOf(shell, options.runsFolder);
  if (options.name === undefined) return nextRunFolder(runsFolder, recipeId, preset);
  if (runName.test(options.name) && options.name.length <= longestName) return join(runsFolder, options.name);
  throw new SparError({
    code: "invalid-name",
    boundary: "command",
    message: `expected a name of at most ${longestName} letters, digits, dots, dashes and underscores, got ${wordsOfName(options.name)}`,
    hint: "to choose a folder, use --run-folder",
  });
}

function wordsOfName(name: string): string {
  return name.length > longestName ? `one of ${name.length}` : `"${name}"`;
}
