/** Where runs are kept: `--runs-folder`, else SPAR_RUNS, else `runs` in the working folder. */
import { resolve } from "node:path";
import type { Shell } from "./shell.ts";

export function runsFolderOf(shell: Shell, typed: string | undefined): string {
  return resolve(shell.workingFolder, typed ?? shell.environment["SPAR_RUNS"] ?? "runs");
}
