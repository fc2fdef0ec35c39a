/**
 * `checkpoints/`: folders that an engine wrote. One is first written under a temporary name, its
 * files are measured and hashed, it is forced to disk and renamed; only then may a commit name it.
 * Folders that no commit names are left-overs of a crash and go. Knows nothing of what is inside.
 */
import { createHash, randomUUID } from "node:crypto";
import { createReadStream, existsSync, mkdirSync, readdirSync, rmSync, statSync } from "node:fs";
import { join } from "node:path";
import { pipeline } from "node:stream/promises";
import { filesUnder, installFolder } from "./atomic-files.ts";
import { storeError, toReadError, withReadErrors, withStoreErrors } from "./store-errors.ts";

export interface CheckpointFile {
  readonly path: string;
  readonly bytes: number;
  readonly sha256: string;
}

/** A checkpoint that is in its place. */
export interface Checkpoint {
  /** Name of the folder below `checkpoints/`. */
  readonly folder: string;
  readonly policy: string;
  readonly bytes: number;
  readonly files: readonly CheckpointFile[];
  /** Digest of the weights, where the engine can tell. */
  readonly digest: string | null;
}

const temporarySuffix = ".tmp";

export class CheckpointFolder {
  readonly #root: string;

  constructor(root: string) {
    this.#root = root;
    withStoreErrors("making the folder of checkpoints", () => mkdirSync(root, { recursive: true }));
  }

  pathOf(folder: string): string {
    return join(this.#root, folder);
  }

  /**
   * A path for the engine to write to that nobody was given before; `install` moves it. An engine that
   * missed its deadline may write on while another is asked for the same checkpoint.
   */
  temporaryPath(folder: string): string {
    return this.pathOf(`${folder}.${randomUUID().slice(0, 8)}${temporarySuffix}`);
  }

  /** Moves what was written to a temporary path to its place. */
  async install(
    temporary: string,
    checkpoint: Pick<Checkpoint, "folder" | "policy" | "digest">,
  ): Promise<Checkpoint> {
    const { folder } = checkpoint;
    const files = await measure(temporary);
    return withStoreErrors(`keeping the checkpoint ${folder}`, () => {
      if (files.length === 0) {
        throw storeError("record-unknown", `expected the engine to write files to ${temporary}, found none`);
      }
      rmSync(this.pathOf(folder), { recursive: true, force: true });
      installFolder(temporary, this.pathOf(folder));
      return { ...checkpoint, files, bytes: files.reduce((sum, file) => sum + file.bytes, 0) };
    });
  }

  /** See `verifyCheckpoint`. @throws `run-corrupt` */
  verify(checkpoint: Checkpoint): Promise<void> {
    return verifyCheckpoint(this.pathOf(checkpoint.folder), checkpoint);
  }

  /** Removes every folder that is not in use; returns what was removed. */
  removeOthers(inUse: ReadonlySet<string>): string[] {
    const names = withStoreErrors("looking for checkpoints", () => readdirSync(this.#root));
    return names.filter((name) => !inUse.has(name) && this.#removeIfPossible(name));
  }

  /** What cannot go now, since somebody writes there still, goes another time: no commit names it. */
  #removeIfPossible(name: string): boolean {
    try {
      rmSync(this.pathOf(name), { recursive: true, force: true });
      return true;
    } catch {
      return false;
    }
  }
}

/**
 * Compares the files of a checkpoint, or those that are needed, with what was measured when it was kept.
 *
 * @throws `run-corrupt` naming the first file that differs, is missing or is one too many
 */
export async function verifyCheckpoint(
  path: string,
  checkpoint: Checkpoint,
  isNeeded: (file: string) => boolean = () => true,
): Promise<void> {
  if (!existsSync(path)) throw storeError("run-corrupt", `expected the checkpoint ${path}, found none`);
  const found = await measure(path, isNeeded);
  for (const expected of checkpoint.files.filter((file) => isNeeded(file.path))) {
    const file = found.find((candidate) => candidate.path === expected.path);
    if (file?.bytes !== expected.bytes || file.sha256 !== expected.sha256) {
      const came = file === undefined ? "none" : `${file.bytes} bytes with another content or length`;
      throw storeError(
        "run-corrupt",
        `expected ${join(path, expected.path)} with ${expected.bytes} bytes as saved, found ${came}`,
      );
    }
  }
  const other = found.find((file) => checkpoint.files.every((expected) => expected.path !== file.path));
  if (other !== undefined)
    throw storeError("run-corrupt", `expected no file ${join(path, other.path)}, since none was saved`);
}

async function measure(
  folder: string,
  isNeeded: (file: string) => boolean = () => true,
): Promise<CheckpointFile[]> {
  const what = `reading ${folder}`;
  const files: CheckpointFile[] = [];
  for (const path of withReadErrors(what, () => filesUnder(folder)).filter(isNeeded)) {
    const full = join(folder, path);
    const { size: bytes } = withReadErrors(what, () => statSync(full));
    files.push({ path, bytes, sha256: await hashFile(full) });
  }
  return files;
}

/** In pieces, beside other work: a checkpoint can have many gigabytes. */
async function hashFile(path: string): Promise<string> {
  const hash = createHash("sha256");
  try {
    await pipeline(
      createReadStream(path, { highWaterMark: 1 << 20 }),
      async (pieces: AsyncIterable<Uint8Array>) => {
        for await (const piece of pieces) hash.update(piece);
      },
    );
  } catch (thrown) {
    throw toReadError(thrown, `reading ${path}`);
  }
  return hash.digest("hex");
}
