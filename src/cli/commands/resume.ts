/** `spar resume RUN`: goes on where a run stopped; a finished one is shown again. */
import type { Command } from "commander";
import { z } from "zod";
import { readManifest, type RunManifest } from "../../store/index.ts";
import { resumeRun, type Recipe } from "../../train/index.ts";
import { findEngine } from "../discovery/engines.ts";
import { findRecipe } from "../discovery/recipes.ts";
import { findRun } from "../discovery/runs.ts";
import { recipeOfRun, runSession, type KnownEngine } from "../run-session.ts";
import { runsFolderOf } from "../runs-folder.ts";
import type { Shell } from "../shell.ts";
import { addEngineOptions, engineSettings, type EngineOptions } from "./engine-options.ts";
import { addCommonOptions } from "./recipe-options.ts";
import { addThreadOption } from "./thread-option.ts";

interface ResumeOptions extends EngineOptions {
  readonly recipe?: string;
  readonly engine?: string;
  readonly runsFolder?: string;
  readonly json?: boolean;
  readonly quiet?: boolean;
}

export function addResumeCommand(program: Command, shell: Shell): void {
  const command = program
    .command("resume <run>")
    .description("go on where a run stopped: its name below the folder of runs, or its path")
    .option("--recipe <path>", "the recipe file, where the run was begun with one of yours")
    .option("-e, --engine <id>", "another engine of the same kind");
  addEngineOptions(addThreadOption(command))
    .option("--runs-folder <folder>", "where runs are kept; else SPAR_RUNS, else ./runs")
    .option("--json", "print events as JSON lines")
    .option("--quiet", "no progress")
    .action((run: string, options: ResumeOptions) => resume(run, options, shell));
  addCommonOptions(command);
}

async function resume(typed: string, options: ResumeOptions, shell: Shell): Promise<void> {
  const { workingFolder, place } = shell;
  const folder = findRun({ typed, runsFolder: runsFolderOf(shell, options.runsFolder), workingFolder });
  const manifest = readManifest(folder);
  const { recipe } = await findRecipe({
    typed: options.recipe ?? recipeOfRun(manifest),
    place,
    workingFolder,
  });
  const engine = await findEngine({ typed: options.engine ?? manifest.engine.name, place, workingFolder });
  const session = {
    recipe,
    preset: manifest.preset,
    seed: manifest.seed,
    folder,
    engine,
    knownEngine: knownEngineOf(manifest),
    settings: engineSettings(engine, options, shell, manifest.engine.options),
    examplePrompt: examplePromptOf(recipe, manifest),
    isJson: options.json === true,
    isQuiet: options.quiet === true,
  };
  await runSession(session, shell, (parts) => resumeRun({ ...parts, recipe, folder, clock: shell.clock }));
}

const engineDescription = z.object({ executor: z.string(), precision: z.string(), threadCount: z.number() });

/** Where the run was begun with other options than the recipe has now, resuming it says so. */
function examplePromptOf(recipe: Recipe, manifest: RunManifest): string | null {
  const options = z.safeParse(recipe.options, manifest.options);
  return options.success ? (recipe.examplePrompt?.(options.data) ?? null) : null;
}

/** The engine that began the run, where its folder describes one in words that we know. */
function knownEngineOf(manifest: RunManifest): KnownEngine | null {
  return engineDescription.safeParse(manifest.engine.description).data ?? null;
}
