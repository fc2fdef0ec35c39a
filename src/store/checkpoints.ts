/**
 * `checkpoints/`: folders that an engine wrote. One is first written under a temporary name, its
 * files are measured and hashed, it is forced to disk and renamed; only then may a commit name it.
 * Folders that no commit names are left-overs of a crash and go. Knows nothing of what is inside.
 */
import { createHash } from "node:crypto";
import { closeSync, existsSync, mkdirSync, openSync, readdirSync, readSync, rmSync, statSync } from "node:fs";
import { join } from "node:path";
import { filesUnder, installFolder } from "./atomic-files.ts";
import { storeError, withStoreErrors } from "./store-errors.ts";

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

  /** A path that does not exist yet, for the engine to write to; `install` moves it. */
  temporaryPath(folder: string): string {
    const path = this.pathOf(`${folder}${temporarySuffix}`);
    rmSync(path, { recursive: true, force: true });
    return path;
  }

  /** Moves what was written to `temporaryPath(folder)` to its place. */
  install(folder: string, policy: string, digest: string | null): Checkpoint {
    const temporary = this.pathOf(`${folder}${temporarySuffix}`);
    return withStoreErrors(`keeping the checkpoint ${folder}`, () => {
      const files = measure(temporary);
      if (files.length === 0) {
        throw storeError("record-unknown", `expected the engine to write files to ${temporary}, found none`);
      }
      rmSync(this.pathOf(folder), { recursive: true, force: true });
      installFolder(temporary, this.pathOf(folder));
      return { folder, policy, digest, files, bytes: files.reduce((sum, file) => sum + file.bytes, 0) };
    });
  }

  /**
   * Compares a checkpoint with what was measured when it was kept.
   *
   * @throws `run-corrupt` naming the first file that differs
   */
  verify(checkpoint: Checkpoint): void {
    const path = this.pathOf(checkpoint.folder);
    if (!existsSync(path)) throw storeError("run-corrupt", `expected the checkpoint ${path}, found none`);
    const found = withStoreErrors(`reading the checkpoint ${path}`, () => measure(path));
    for (const expected of checkpoint.files) {
      const file = found.find((candidate) => candidate.path === expected.path);
      if (file?.bytes !== expected.bytes || file.sha256 !== expected.sha256) {
        const came = file === undefined ? "none" : `${file.bytes} bytes with another content or length`;
        throw storeError(
          "run-corrupt",
          `expected ${join(path, expected.path)} with ${expected.bytes} bytes as saved, found ${came}`,
        );
      }
    }
  }

  /** Removes every folder that is not in use; returns what was removed. */
  removeOthers(inUse: ReadonlySet<string>): string[] {
    return withStoreErrors("removing checkpoints", () => {
      const others = readdirSync(this.#root).filter((name) => !inUse.has(name));
      for (const name of others) rmSync(this.pathOf(name), { recursive: true, force: true });
      return others;
    });
  }
}

function measure(folder: string): CheckpointFile[] {
  return filesUnder(folder).map((path) => {
    const full = join(folder, path);
    return { path, bytes: statSync(full).size, sha256: hashFile(full) };
  });
}

/** In pieces: a checkpoint can be larger than a buffer may be. */
function hashFile(path: string): string {
  const hash = createHash("sha256");
  const piece = new Uint8Array(1 << 20);
  const descriptor = openSync(path, "r");
  try {
    for (let count = readSync(descriptor, piece); count > 0; count = readSync(descriptor, piece)) {
      hash.update(piece.subarray(0, count));
    }
  } finally {
    closeSync(descriptor);
  }
  return hash.digest("hex");
}
