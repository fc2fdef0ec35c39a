/**
 * Paths as people read them: relative to the folder that they are in where they lie below it, whole elsewhere.
 * Programs (`--json`) get whole paths.
 */
import { sep } from "node:path";

/** `runs/spin-nano-1` for a folder below the working folder. */
export function shownPath(path: string, workingFolder: string): string {
  const prefix = prefixOf(workingFolder);
  return path.startsWith(prefix) && path.length > prefix.length ? path.slice(prefix.length) : path;
}

const beginsWord = /(?:^|[\s"'`(=:,])$/u;
const goesOn = /^[^\s"'`),;]/u;

/** The same for every path that a message names. */
export function shownPaths(message: string, workingFolder: string): string {
  const prefix = prefixOf(workingFolder);
  // Everything lies below the root: there, paths stay whole.
  if (prefix === sep) return message;
  return message
    .split(prefix)
    .reduce((text, part) => text + (beginsWord.test(text) && goesOn.test(part) ? "" : prefix) + part);
}

function prefixOf(folder: string): string {
  return folder.endsWith(sep) ? folder : folder + sep;
}
