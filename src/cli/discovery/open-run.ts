/** Opens a run that was named on the command line for reading, and says where it is still going on. */
import { openRunReader, type RunReader } from "../../store/index.ts";
import { runsFolderOf } from "../runs-folder.ts";
import type { Shell } from "../shell.ts";
import { findRun } from "./runs.ts";

/** @throws `not-a-run`, and what `openRunReader` throws */
export function openRun(typed: string, runsFolder: string | undefined, shell: Shell): RunReader {
  const { workingFolder } = shell;
  const reader = openRunReader(
    findRun({ typed, runsFolder: runsFolderOf(shell, runsFolder), workingFolder }),
  );
  if (reader.status() === "running")
    shell.screen.notice(`${reader.manifest.id} is still running: this is what it has kept so far`);
  return reader;
}
