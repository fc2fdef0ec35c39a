/**
 * A folder that appears whole or not at all: files go into a sibling with another name, reach the disk, and the
 * folder is then renamed into place. Knows nothing of what the files mean.
 */
import { mkdir, open, rename, rm, stat } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { throwIfAborted } from "../../../base/index.ts";
import { engineError } from "../../../contract/index.ts";

export type FolderFiles = Readonly<Record<string, string | Uint8Array>>;

/** @returns bytes written. @throws `invalid-input` when the folder exists, `aborted` where that comes in time */
export async function writeFolder(folder: string, files: FolderFiles, signal?: AbortSignal): Promise<number> {
  if (await exists(folder)) {
    throw engineError("invalid-input", `expected a folder that does not exist yet, got ${folder}`, {
      hint: "choose another folder, or remove this one",
    });
  }
  const parent = dirname(folder);
  const draft = join(parent, `.${basename(folder)}.partial-${process.pid}`);
  await mkdir(parent, { recursive: true });
  await rm(draft, { recursive: true, force: true });
  await mkdir(draft);
  try {
    let bytes = 0;
    for (const [name, content] of Object.entries(files)) {
      throwIfAborted(signal, { boundary: "engine", what: `writing ${folder}` });
      bytes += await writeDurably(join(draft, name), content);
    }
    await syncFolder(draft);
    throwIfAborted(signal, { boundary: "engine", what: `writing ${folder}` });
    await rename(draft, folder);
    await syncFolder(parent);
    return bytes;
  } catch (thrown) {
    await rm(draft, { recursive: true, force: true });
    throw thrown;
  }
}

async function writeDurably(path: string, content: string | Uint8Array): Promise<number> {
  const bytes = typeof content === "string" ? new TextEncoder().encode(content) : content;
  const file = await open(path, "wx");
  try {
    await file.writeFile(bytes);
    await file.sync();
  } finally {
    await file.close();
  }
  return bytes.byteLength;
}

async function syncFolder(folder: string): Promise<void> {
  const handle = await open(folder, "r");
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

async function exists(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    () => false,
  );
}
