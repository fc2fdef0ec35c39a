import { rmSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { afterAll, expect, test } from "vitest";
import { isSparError } from "../base/index.ts";
import { expectCode } from "../testing/index.ts";
import { temporaryFolder } from "../../test/fixtures/durability/records.ts";
import { storeError, toStoreError, withReadErrors } from "./store-errors.ts";

const root = temporaryFolder();
afterAll(() => rmSync(root, { recursive: true, force: true }));

const codeOf = (error: unknown): unknown => (isSparError(error) ? error.code : error);

test.each([
  ["ENOSPC", "disk-full"],
  ["EDQUOT", "disk-full"],
  ["EROFS", "store-read-only"],
  ["EACCES", "store-read-only"],
  ["EIO", "disk-failed"],
])("%s of the file system is %s, with what was done and what to do", (system, code) => {
  const error = toStoreError(
    Object.assign(new Error(`${system}: told to`), { code: system }),
    "writing run.json",
  );
  expect(error).toMatchObject({
    code,
    boundary: "store",
    message: `writing run.json failed: ${system}: told to`,
  });
  expect(isSparError(error) && error.hint).toBeTruthy();
});

test.each([
  ["EACCES", "run-unreadable"],
  ["EPERM", "run-unreadable"],
  ["EISDIR", "run-corrupt"],
  ["EIO", "disk-failed"],
])("%s while reading is %s: nobody wanted to write", async (system, code) => {
  const reading = async (): Promise<never> =>
    withReadErrors("reading run.json", () => {
      throw Object.assign(new Error(`${system}: told to`), { code: system });
    });
  const error = await expectCode(reading(), code);
  expect(error.hint).not.toContain("writable");
});

test("an index of the log that finds no room is a full disk, not a broken one", () => {
  const thrown = (errcode: number): Error => Object.assign(new Error("disk I/O error"), { errcode });
  expect(codeOf(toStoreError(thrown(4874), "writing"))).toBe("disk-full");
  expect(codeOf(toStoreError(thrown(10), "writing"))).toBe("disk-failed");
});

test("a database that may not be written is read-only, not corrupt", () => {
  const path = join(root, "a.sqlite");
  const writer = new DatabaseSync(path);
  writer.exec("CREATE TABLE t (x)");
  writer.close();
  const reader = new DatabaseSync(path, { readOnly: true });
  try {
    reader.exec("INSERT INTO t VALUES (1)");
    expect.fail("the insert went through");
  } catch (thrown) {
    expect(codeOf(toStoreError(thrown, "writing"))).toBe("store-read-only");
  } finally {
    reader.close();
  }
});

test("what is typed already, and what is a mistake of the program, passes through unchanged", () => {
  const typed = storeError("disk-full", "full");
  const mistake = new TypeError("x is not a function");
  expect(toStoreError(typed, "writing")).toBe(typed);
  expect(toStoreError(mistake, "writing")).toBe(mistake);
});
