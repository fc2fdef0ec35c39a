/** A file system of a stated size in memory, which can be made larger, smaller or read-only. Needs root on Linux. */
import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

export class SmallDisk implements Disposable {
  readonly folder: string;

  private constructor(folder: string) {
    this.folder = folder;
  }

  /** Null where this machine or user cannot mount one; the reason is printed. */
  static mount(sizeKiB: number): SmallDisk | null {
    const folder = mkdtempSync(join(tmpdir(), "spar-disk-"));
    const refusal = mount(["-t", "tmpfs", "-o", `size=${sizeKiB}k`, "tmpfs", folder]);
    if (refusal === null) return new SmallDisk(folder);
    process.stderr.write(`skipped: tests of full and read-only disks need to mount a tmpfs: ${refusal}\n`);
    rmSync(folder, { recursive: true, force: true });
    return null;
  }

  resize(sizeKiB: number): void {
    this.#remount(`size=${sizeKiB}k`);
  }

  setReadOnly(isReadOnly: boolean): void {
    this.#remount(isReadOnly ? "ro" : "rw");
  }

  [Symbol.dispose](): void {
    const { status, stderr } = spawnSync("umount", [this.folder], { encoding: "utf8" });
    // Busy: somebody left a file open, which is what some tests look for.
    if (status !== 0) throw new Error(stderr.trim());
    rmSync(this.folder, { recursive: true, force: true });
  }

  #remount(option: string): void {
    const refusal = mount(["-o", `remount,${option}`, this.folder]);
    if (refusal !== null) throw new Error(refusal);
  }
}

function mount(words: readonly string[]): string | null {
  const { status, stderr, error } = spawnSync("mount", words, { encoding: "utf8" });
  return status === 0 ? null : (error?.message ?? stderr).trim();
}
