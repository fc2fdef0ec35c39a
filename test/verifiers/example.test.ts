/** The example of docs/verifiers/python.md runs as it stands, and prints what it says. */
import { execFile } from "node:child_process";
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { expect, test } from "vitest";

const root = fileURLToPath(new URL("../..", import.meta.url));

test("the example of the documentation", { timeout: 300_000 }, async () => {
  const page = readFileSync(new URL("../../docs/verifiers/python.md", import.meta.url), "utf8");
  const [, example = ""] = /```ts\n([\s\S]*?)```/u.exec(page) ?? [];
  const promised = example.trimEnd().split("\n").at(-1)?.slice(3);
  expect(promised).toContain("failed: ");
  expect(example.trim().split("\n").length).toBeLessThanOrEqual(10);
  const words = ["--conditions=source", "--no-warnings", "--input-type=module-typescript", "--eval", example];
  const { stdout } = await promisify(execFile)(process.execPath, words, { cwd: root });
  expect(stdout.trim()).toBe(promised);
});
