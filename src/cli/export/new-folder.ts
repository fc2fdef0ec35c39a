/** A folder that is there whole or not at all: filled under another name, then renamed. */
import { accessSync, constants, existsSync, mkdirSync, renameSync, rmSync } from "node:fs";
import { dirname } from "node:path";
import { SparError } from "../../base/index.ts";

/** @throws `folder-exists` where something of that name is there */
export async function fillNewFolder<T>(folder: string, fill: (temporary: string) => Promise<T>): Promise<T> {
  if (existsSync(folder)) {
    throw new SparError({
      code: "folder-exists",
      boundary: "command",
      message: `expected a folder that does not exist yet, ${folder} does`,
      hint: "choose another one with --to, or remove it",
    });
  }
  mkdirSync(dirname(folder), { recursive: true });
  accessSync(dirname(folder), constants.W_OK);
  const temporary = `${folder}.tmp-${process.pid}`;
  try {
    const result = await fill(temporary);
    renameSync(temporary, folder);
    return result;
  } finally {
    rmSync(temporary, { recursive: true, force: true });
  }
}
