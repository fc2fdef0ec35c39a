/**
 * Makes a folder and those above it. Node's own recursive way goes round for ever where a folder can
 * never be made, as below /proc, and says nothing of a link that leads to itself.
 */
import { existsSync, mkdirSync, statSync } from "node:fs";
import { dirname } from "node:path";

/** What is there already stays. @throws what the file system says of the first folder that cannot be made */
export function makeFolder(path: string): void {
  try {
    mkdirSync(path);
  } catch (thrown) {
    const code = thrown instanceof Error && "code" in thrown ? thrown.code : null;
    if (code === "EEXIST" && statSync(path).isDirectory()) return;
    const parent = dirname(path);
    if (code !== "ENOENT" || parent === path || existsSync(parent)) throw thrown;
    makeFolder(parent);
    mkdirSync(path);
  }
}
