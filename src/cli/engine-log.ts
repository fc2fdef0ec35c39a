/**
 * The log of an engine's process, in the folder of its run. The engine starts before there is a folder: what it writes
 * until then waits. Best effort: a log that cannot be written ends no run.
 */
import { appendFileSync } from "node:fs";
import { isRunFolder, runPaths } from "../store/index.ts";

export interface EngineLog {
  readonly write: (text: string) => void;
  /** Writes what waits, where the folder has come to be. */
  readonly flush: () => void;
}

const mostWaitingCharacters = 262_144;
const longestLogBytes = 67_108_864;

export function createEngineLog(folder: string): EngineLog {
  let waiting = "";
  let writtenBytes = 0;
  const flush = (): void => {
    if (waiting === "" || !isRunFolder(folder)) return;
    const text = waiting;
    waiting = "";
    if (writtenBytes > longestLogBytes) return;
    writtenBytes += Buffer.byteLength(text);
    const end = writtenBytes > longestLogBytes ? "\nspar: this log is long enough and ends here\n" : "";
    try {
      appendFileSync(runPaths(folder).engineLog, text + end);
    } catch {
      // The run itself will say so, where the disk is full.
    }
  };
  const write = (text: string): void => {
    waiting = (waiting + text).slice(-mostWaitingCharacters);
    flush();
  };
  return { write, flush };
}
