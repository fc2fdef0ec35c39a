/**
 * What is left behind, and what is said last, when a run does not come to its end: a folder only where
 * it holds something that somebody could miss, and the way on only where it leads somewhere.
 */
import { rmSync } from "node:fs";
import { isSparError } from "../base/index.ts";
import { isRunFolder, RunReader } from "../store/index.ts";
import { isLastingWork } from "../train/index.ts";
import { commandName } from "./command-name.ts";
import { runArgument } from "./run-argument.ts";
import type { Shell } from "./shell.ts";

export interface EarlyEnd {
  /** What ended the run. */
  readonly thrown: unknown;
  readonly folder: string;
  /** Whether the folder is that of an earlier command. */
  readonly wasThere: boolean;
  /** Whether this command has made or opened the run; else the folder, where there is one, is not its own. */
  readonly hasBegun: boolean;
}

/** Errors that a resumed run would only meet again, or that forbid to touch the folder. */
const hopeless: ReadonlySet<string> = new Set([
  "run-corrupt",
  "run-unreadable",
  "run-too-new",
  "run-too-old",
  "loss-not-finite",
  "weights-diverged",
]);

/** Removes what nobody misses; returns the last words. */
export function endEarly({ thrown, folder, wasThere, hasBegun }: EarlyEnd, shell: Shell): string[] {
  if (!hasBegun) return [];
  const code = isSparError(thrown) ? thrown.code : null;
  const isStopped = code === "aborted";
  if (!wasThere && !keepsAnything(folder)) {
    rmSync(folder, { recursive: true, force: true });
    return isStopped ? ["stopped before anything was finished; nothing is left behind"] : [];
  }
  const run = runArgument(folder, shell);
  if (code !== null && hopeless.has(code)) {
    const kept = `what was finished is kept: ${commandName(shell)} replay ${run}`;
    return code.startsWith("run-") ? [] : [`${kept}; a resumed run would end in the same way`];
  }
  const resume = `${commandName(shell)} resume ${run}`;
  return isStopped
    ? [`stopped; go on with: ${resume}`]
    : [`what was finished is kept; go on with: ${resume}`];
}

/** Whether a run holds work or turns; one that cannot be read is left alone. */
function keepsAnything(folder: string): boolean {
  if (!isRunFolder(folder)) return false;
  try {
    using reader = new RunReader(folder, { looksForDamage: false });
    for (const step of reader.steps()) if (isLastingWork(step)) return true;
    for (const episode of reader.episodes()) if (episode.turnCount > 0) return true;
    return false;
  } catch {
    return true;
  }
}
