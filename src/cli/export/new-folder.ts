/** A folder that is there whole or not at all: filled under another name, then renamed. */
import { existsSync, mkdirSync, renameSync, rmdirSync, rmSync } from "node:fs";
import { dirname } from "node:path";
import { SparError } from "../../base/index.ts";
import { makeFolder } from "../../store/index.ts";

/** @throws `folder-exists` where something of that name is there, and what the file system says where none can be made */
export async function fillNewFolder<T>(folder: string, fill: (temporary: string) => Promise<T>): Promise<T> {
  if (existsSync(folder)) {
    throw new SparError({
      code: "folder-exists",
      boundary: "command",
      message: `expected a folder that does not exist yet, ${folder} does`,
      hint: "choose another one with --to, or remove it",
    });
  }
  makeFolder(dirname(folder));
  const temporary = `${folder}.tmp-${process.pid}`;
  // Better to fail here than in the words of whoever fills it, after the work.
  mkdirSync(temporary);
  rmdirSync(temporary);
  try {
    const result = await fill(temporary);
    renameSync(temporary, folder);
    return result;
  } finally {
    rmSync(temporary, { recursive: true, force: true });
  }
}
