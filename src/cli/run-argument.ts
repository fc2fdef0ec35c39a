/** How a run is named on the command line. */
import { basename, join, sep } from "node:path";
import { runsFolderOf } from "./runs-folder.ts";
import type { Shell } from "./shell.ts";
import { shellWord } from "./shell-word.ts";
import { shownPath } from "./shown-path.ts";

/** Short where the run lies in the usual place, and quoted where a shell wants it. */
export function runArgument(folder: string, shell: Shell): string {
  const usual = join(runsFolderOf(shell, undefined), basename(folder));
  if (folder === usual) return shellWord(basename(folder));
  const shown = shownPath(folder, shell.workingFolder);
  // Without the dot it could be read as the name of a run.
  return shellWord(shown === folder ? folder : `.${sep}${shown}`);
}
