import { existsSync, mkdtempSync, rmSync, statSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { makeFolder } from "./make-folder.ts";

const root = mkdtempSync(join(tmpdir(), "spar-folder-"));
afterAll(() => rmSync(root, { recursive: true, force: true }));

test("a folder is made with those above it, and may be there already", () => {
  const path = join(root, "a", "b", "c");
  makeFolder(path);
  makeFolder(path);
  expect(statSync(path).isDirectory()).toBe(true);
});

test("a file in the way, a link to itself and a name that is too long are said, and nothing is made", () => {
  writeFileSync(join(root, "file"), "");
  symlinkSync("loop", join(root, "loop"));
  expect(() => makeFolder(join(root, "file"))).toThrow(/EEXIST/);
  expect(() => makeFolder(join(root, "file", "x"))).toThrow(/ENOTDIR/);
  expect(() => makeFolder(join(root, "loop", "x"))).toThrow(/ELOOP/);
  expect(() => makeFolder(join(root, "n".repeat(300), "x"))).toThrow(/ENAMETOOLONG/);
});

test.skipIf(!existsSync("/proc/self"))(
  "a place where nothing can be made is said, not tried for ever",
  () => {
    expect(() => makeFolder("/proc/spar/x/y")).toThrow(/ENOENT/);
  },
);
