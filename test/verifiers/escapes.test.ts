/** Every program of the corpus ends in one of its verdicts, within its limits, and the next request works, in both backends. */
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { mapBounded } from "../../src/base/index.ts";
import { openPythonSandbox, type PythonSandbox } from "../../src/verifiers/python/index.ts";
import { judgeEscape, readEscapes } from "../../src/verifiers/python/escapes.ts";
import { triedBackends } from "./backends.ts";

// Guards against what hangs: a crowded machine is no failure.
vi.setConfig({ testTimeout: 900_000, hookTimeout: 900_000 });

const escapes = readEscapes();

test("the corpus is there, and every program says what should become of it", () => {
  expect(escapes.length).toBeGreaterThanOrEqual(60);
  expect(escapes.filter(({ what, expected }) => what === "" || expected.length === 0)).toEqual([]);
  expect(escapes.filter(({ isProof }) => isProof).length).toBeGreaterThanOrEqual(12);
});

test("another end than the expected one is told", () => {
  const escape = escapes.find(({ name }) => name === "file-read");
  if (escape === undefined) throw new Error("file-read is gone");
  const read = { kind: "value", value: "root:x:0", output: "" } as const;
  expect(judgeEscape(escape, read)).toContain("returned 'root:x:0'");
  expect(judgeEscape(escape, { kind: "error", error: "lost", message: "" })).toContain("was not executed");
});

for (const { name, backend, refusal } of await triedBackends())
  describe.skipIf(refusal !== null)(name, () => {
    let sandbox: PythonSandbox;
    beforeAll(async () => {
      sandbox = await openPythonSandbox({ backend, workerCount: 2 });
    });
    afterAll(() => sandbox.close());

    test(
      "all programs are kept in, and what comes after them is untouched",
      { timeout: 240_000 },
      async () => {
        const failures = await mapBounded(escapes, 4, async (escape, index) => {
          const failure = judgeEscape(escape, await sandbox.run(escape.request));
          const next = await sandbox.run({ program: `numbers = [${index}]`, query: "sum(numbers) + 1" });
          const isUntouched = next.kind === "value" && next.value === index + 1;
          return [
            ...(failure === null ? [] : [`${escape.name}: ${failure}`]),
            ...(isUntouched ? [] : [`${escape.name}: the next request came to ${JSON.stringify(next)}`]),
          ];
        });
        expect(failures.flat()).toEqual([]);
      },
    );
  });
