/**
 * Where a worker keeps published versions while it lives: a folder named after the process that started it. One whose
 * process has gone, killed together with its worker, is removed by the next start.
 */
import { mkdirSync, mkdtempSync, readdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { torchFolder } from "./python.ts";

/** A new folder for this process. */
export function makeWorkingFolder(dataFolder: string): string {
  const parent = join(torchFolder(dataFolder), "working");
  mkdirSync(parent, { recursive: true });
  for (const name of readdirSync(parent)) {
    const owner = Number(name.split("-")[0]);
    if (!isAlive(owner)) rmSync(join(parent, name), { recursive: true, force: true });
  }
  return mkdtempSync(join(parent, `${process.pid}-`));
}

/** Whether a process of this number runs, ours or another's. */
export function isAlive(processId: number): boolean {
  try {
    return process.kill(processId, 0);
  } catch (thrown) {
    // Somebody else's.
    return thrown instanceof Error && "code" in thrown && thrown.code === "EPERM";
  }
}
