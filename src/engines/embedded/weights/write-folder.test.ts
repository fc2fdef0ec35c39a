import { mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { writeFolder } from "./write-folder.ts";

let root = "";
beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), "spar-write-folder-"));
});
afterAll(async () => {
  await rm(root, { recursive: true });
});

test("a folder appears with all its files, parents included", async () => {
  const bytes = await writeFolder(join(root, "deep", "model"), { "a.txt": "héllo", b: Uint8Array.of(1, 2) });
  expect(bytes).toBe(8);
  expect(await readFile(join(root, "deep", "model", "a.txt"), "utf8")).toBe("héllo");
});

test("an existing folder is refused and left alone", async () => {
  await writeFolder(join(root, "taken"), { first: "1" });
  await expect(writeFolder(join(root, "taken"), { second: "2" })).rejects.toMatchObject({
    code: "invalid-input",
  });
  expect(await readdir(join(root, "taken"))).toEqual(["first"]);
});

test("a failure leaves nothing behind", async () => {
  await expect(writeFolder(join(root, "broken"), { fine: "1", "no/such/folder": "2" })).rejects.toThrow(
    "ENOENT",
  );
  expect((await readdir(root)).filter((name) => name.includes("broken"))).toEqual([]);
});
