/** An execution is the same whatever ran before it, in whatever order: a property of small programs, good and bad, in one worker. */
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import {
  openPythonSandbox,
  type PythonExecution,
  type PythonSandbox,
} from "../../src/verifiers/python/index.ts";
import { triedBackends } from "./backends.ts";

// Guards against what hangs: a crowded machine is no failure.
vi.setConfig({ testTimeout: 900_000, hookTimeout: 900_000 });

/** Lines that compute, lines that change what others might see, lines that fail; the first words decide whether they run warm. */
const lines = [
  "x = [3, 1, 2]",
  "x = sorted(x)",
  "x = {1: x}",
  "x = str(lambda: x)",
  "x = [x, 'a' * 1000]",
  "x = repr(iter([x]))",
  "print(x)",
  "x = x.left",
  "x = 1 / 0",
  "import math",
  "math.pi = x",
  "x = math.pi",
  "import builtins; builtins.len = lambda given: 7",
  "x = len([x])",
  "import random; x = random.random()",
  "import sys; sys.setrecursionlimit(150)",
  "f = lambda n: 0 if n == 0 else 1 + f(n - 1)",
  "x = f(200)",
  "from collections import Counter; Counter.left = x",
  "from collections import Counter; x = Counter('aab')",
  "import collections; x = hasattr(collections.Counter, 'left')",
  "import time; x = time.time()",
  "import os; x = os.urandom(4)",
  "from functools import lru_cache; g = lru_cache(lambda n: n); x = g(2)",
  "x = {'a', 'b', 'c', str(x)}; x = list(x)",
];
const program = fc
  .array(fc.constantFrom(...lines), { minLength: 1, maxLength: 6 })
  .map((chosen) => ["x = 0", ...chosen].join("\n"));

for (const { name, backend, refusal } of await triedBackends())
  describe.skipIf(refusal !== null)(name, () => {
    let sandbox: PythonSandbox;
    beforeAll(async () => {
      sandbox = await openPythonSandbox({ backend, workerCount: 1, cacheSize: 0 });
    });
    afterAll(() => sandbox.close());

    test("the order of programs changes no execution", async () => {
      const runAll = async (programs: readonly string[]): Promise<PythonExecution[]> => {
        const executions: PythonExecution[] = [];
        for (const one of programs) executions.push(await sandbox.run({ program: one, query: "x" }));
        return executions;
      };
      await fc.assert(
        fc.asyncProperty(fc.array(program, { minLength: 2, maxLength: 8 }), async (programs) => {
          const forwards = await runAll(programs);
          const backwards = await runAll(programs.toReversed());
          expect(backwards.toReversed()).toEqual(forwards);
        }),
        { numRuns: 25 },
      );
    });
  });
