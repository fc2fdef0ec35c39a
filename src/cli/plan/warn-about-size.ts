/** Says before a run starts when this machine looks too small for it. An estimate warns, it does not refuse. */
import { existsSync, statfsSync } from "node:fs";
import { dirname } from "node:path";
import type { Plan } from "../../train/index.ts";
import { formatBytes } from "../terminal/format.ts";

export function warnAboutSize(plan: Pick<Plan, "memoryBytes" | "diskBytes">, folder: string): string[] {
  const freeMemory = process.availableMemory();
  const freeDisk = freeBytesAt(folder);
  return [...warning("memory", plan.memoryBytes, freeMemory), ...warning("disk", plan.diskBytes, freeDisk)];
}

function warning(what: string, neededBytes: number | null, freeBytes: number): string[] {
  if (neededBytes === null || neededBytes <= freeBytes) return [];
  return [
    `warning: the plan needs ${formatBytes(neededBytes)} of ${what}, ${formatBytes(freeBytes)} are free here`,
  ];
}

/** Free space of the file system that a path is on, or will be on. */
export function freeBytesAt(path: string): number {
  let folder = path;
  while (!existsSync(folder) && dirname(folder) !== folder) folder = dirname(folder);
  const { bavail, bsize } = statfsSync(folder);
  return bavail * bsize;
}
