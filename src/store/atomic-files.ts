/**
 * Files that are whole or absent: written beside their place, forced to disk, renamed, and the
 * folder forced to disk too. Knows nothing of what is in them.
 */
import { closeSync, fsyncSync, openSync, readdirSync, renameSync, statSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { withStoreErrors } from "./store-errors.ts";

/**
 * Writes a file so that a crash leaves the old one or the new one.
 *
 * @throws `disk-full`, `store-read-only`, `disk-failed`
 */
export function writeFileAtomic(path: string, content: string | Uint8Array): void {
  withStoreErrors(`writing ${path}`, () => {
    const temporary = `${path}.tmp`;
    writeFileSync(temporary, content, { flush: true });
    renameSync(temporary, path);
    syncPath(dirname(path));
  });
}

/**
 * Moves a folder that was completely written to its place, after everything in it is on the disk.
 *
 * @throws `disk-full`, `store-read-only`, `disk-failed`
 */
export function installFolder(temporary: string, place: string): void {
  withStoreErrors(`moving ${place} into place`, () => {
    for (const file of filesUnder(temporary)) syncPath(join(temporary, file));
    for (const folder of foldersUnder(temporary)) syncPath(folder);
    renameSync(temporary, place);
    syncPath(dirname(place));
  });
}

/** Paths of all files below a folder, relative to it, sorted. */
export function filesUnder(folder: string): string[] {
  return readdirSync(folder, { recursive: true })
    .map(String)
    .filter((path) => statSync(join(folder, path)).isFile())
    .toSorted();
}

function foldersUnder(folder: string): string[] {
  const inner = readdirSync(folder, { recursive: true }).map(String);
  return [folder, ...inner.map((path) => join(folder, path)).filter((path) => statSync(path).isDirectory())];
}

function syncPath(path: string): void {
  const descriptor = openSync(path, "r");
  try {
    fsyncSync(descriptor);
  } finally {
    closeSync(descriptor);
  }
}
