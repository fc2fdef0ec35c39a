/** Finds a run from what was typed: a path, or the name of a folder below the folder of runs. */
import { existsSync, readdirSync } from "node:fs";
import { basename, isAbsolute, join, resolve } from "node:path";
import { SparError, suggestName } from "../../base/index.ts";
import { isRunFolder } from "../../store/index.ts";

export interface RunRequest {
  readonly typed: string;
  readonly runsFolder: string;
  readonly workingFolder: string;
}

/** The folder of a run. @throws `not-a-run` */
export function findRun(request: RunRequest): string {
  const { typed, runsFolder } = request;
  const here = resolve(request.workingFolder, typed);
  const candidates = typed.startsWith(".") || isAbsolute(typed) ? [here] : [join(runsFolder, typed), here];
  const found = candidates.find(isRunFolder);
  if (found !== undefined) return found;
  const existing = candidates.find((folder) => existsSync(folder));
  const names = runNames(runsFolder);
  throw new SparError({
    code: "not-a-run",
    boundary: "command",
    message:
      existing === undefined
        ? `no run is called "${shortened(typed)}", and there is no such folder`
        : `${existing} is not the folder of a run: it has no run.json`,
    hint:
      names.length === 0
        ? `there are no runs in ${runsFolder}; spar run makes one`
        : suggestName(basename(typed), names),
  });
}

const longestShown = 100;

function shortened(typed: string): string {
  return typed.length > longestShown ? `${typed.slice(0, longestShown)}...` : typed;
}

/** For a hint: none where they cannot be seen. */
function runNames(runsFolder: string): string[] {
  try {
    return readdirSync(runsFolder).filter((name) => isRunFolder(join(runsFolder, name)));
  } catch {
    return [];
  }
}
