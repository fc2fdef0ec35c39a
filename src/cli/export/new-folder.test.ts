import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { fillNewFolder } from "./new-folder.ts";

let parent = "";
beforeEach(() => void (parent = mkdtempSync(join(tmpdir(), "spar-export-"))));
afterEach(() => rmSync(parent, { recursive: true, force: true }));

describe("a folder for an export", () => {
  test("is there with everything in it", async () => {
    const target = join(parent, "a", "b");
    await fillNewFolder(target, async (folder) => {
      mkdirSync(folder);
      writeFileSync(join(folder, "weights"), "x");
    });
    expect(readdirSync(target)).toEqual(["weights"]);
    expect(readdirSync(join(parent, "a"))).toEqual(["b"]);
  });

  test("is not there at all where filling it failed", async () => {
    const target = join(parent, "half");
    const filling = fillNewFolder(target, async (folder) => {
      mkdirSync(folder);
      writeFileSync(join(folder, "weights"), "x");
      throw new Error("disk full");
    });
    await expect(filling).rejects.toThrow("disk full");
    expect(readdirSync(parent)).toEqual([]);
  });

  test.skipIf(!existsSync("/proc/self"))("is refused where none can be made, before the work", async () => {
    let isFilled = false;
    const filling = fillNewFolder("/proc/spar", async () => void (isFilled = true));
    await expect(filling).rejects.toMatchObject({ code: "ENOENT", syscall: "mkdir" });
    expect(isFilled).toBe(false);
  });

  test("is refused where something is already there", async () => {
    const filling = fillNewFolder(parent, async () => undefined);
    await expect(filling).rejects.toMatchObject({ code: "folder-exists" });
    expect(existsSync(parent)).toBe(true);
  });
});
