/** Where things lie in a run folder, and how a new run gets its folder. */
import { existsSync } from "node:fs";
import { join } from "node:path";

export interface RunPaths {
  readonly folder: string;
  readonly database: string;
  readonly lock: string;
  readonly checkpoints: string;
  readonly artifacts: string;
  /** What processes of the engine wrote. */
  readonly engineLog: string;
}

export function runPaths(folder: string): RunPaths {
  return {
    folder,
    database: join(folder, "run.sqlite"),
    lock: join(folder, "run.lock"),
    checkpoints: join(folder, "checkpoints"),
    artifacts: join(folder, "artifacts"),
    engineLog: join(folder, "engine.log"),
  };
}

/** The first free `<recipe>-<preset>-<n>` below a folder of runs; it is not made. */
export function nextRunFolder(runsFolder: string, recipeId: string, preset: string): string {
  for (let number = 1; ; number++) {
    const folder = join(runsFolder, `${recipeId}-${preset}-${number}`);
    if (!existsSync(folder)) return folder;
  }
}
