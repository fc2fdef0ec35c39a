/** Executions do not see each other: programs that try to leave something behind, and programs that look for it. */
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { openPythonSandbox, type PythonSandbox } from "../../src/verifiers/python/index.ts";
import { triedBackends } from "./backends.ts";

// Guards against what hangs: a crowded machine is no failure.
vi.setConfig({ testTimeout: 900_000, hookTimeout: 900_000 });

/** What leaves, what looks for it, and what it finds where nothing is left. */
const attempts: readonly (readonly [what: string, program: string, probe: string, clean: unknown])[] = [
  ["a global", "left = 1", "'left' in globals()", false],
  ["a builtin by a trick", "import builtins\nbuiltins.sum = lambda x: 99", "sum([1, 2])", 3],
  ["a builtin added", "import builtins\nbuiltins.left = 1", "'left' in dir(__builtins__)", false],
  ["a module's constant", "import math\nmath.pi = 3", "__import__('math').pi > 3.1", true],
  ["a module's constant, then read by allowed code", "import math\nmath.tau = 3", "0 if pi > 3.1 else 1", 0],
  [
    "a module's function",
    "import random\nrandom.random = lambda: 0.5",
    "__import__('random').random() == 0.5",
    false,
  ],
  [
    "a class of a module",
    "from collections import Counter\nCounter.left = 1",
    "hasattr(__import__('collections').Counter, 'left')",
    false,
  ],
  [
    "an attribute of a function",
    "from functools import lru_cache\nlru_cache.left = 1",
    "hasattr(__import__('functools').lru_cache, 'left')",
    false,
  ],
  [
    "a module of its own",
    "import sys\nsys.modules['left'] = sys",
    "'left' in __import__('sys').modules",
    false,
  ],
  ["a path of imports", "import sys\nsys.path.append('left')", "'left' in __import__('sys').path", false],
  [
    "the recursion limit",
    "import sys\nsys.setrecursionlimit(77)",
    "__import__('sys').getrecursionlimit() == 77",
    false,
  ],
  [
    "a filter of warnings",
    "import warnings\nwarnings.simplefilter('error')",
    "__import__('warnings').filters[0][0]  == 'error'",
    false,
  ],
  [
    "the state of random numbers",
    "import random\nrandom.seed(5)",
    "__import__('random').random() == __import__('random').Random(0).random()",
    true,
  ],
  [
    "the context of decimals",
    "import decimal\ndecimal.getcontext().prec = 3",
    "__import__('decimal').getcontext().prec",
    28,
  ],
  ["a garbage collector that is off", "import gc\ngc.disable()", "__import__('gc').isenabled()", true],
  ["a trace", "import sys\nsys.settrace(lambda *given: None)", "__import__('sys').gettrace() is None", true],
  ["an output of its own", "import sys, io\nsys.stdout = io.StringIO()", "print('here')", null],
  [
    "a finalizer in a circle",
    "class Left:\n    def __del__(self):\n        print('left')\na, b = Left(), Left()\na.other, b.other = b, a",
    "print('here')",
    null,
  ],
  [
    "an unfinished generator",
    "def left():\n    try:\n        yield 1\n    finally:\n        print('left')\ncircle = [left()]\ncircle.append(circle)\nnext(circle[0])",
    "print('here')",
    null,
  ],
  [
    "a subclass",
    "class Left(Exception):\n    pass\nkept = Left()\nimport sys\nsys.last = kept",
    "any(kind.__name__ == 'Left' for kind in Exception.__subclasses__())",
    false,
  ],
  [
    "a codec",
    "import codecs\ncodecs.register(lambda name: None)\nimport encodings\nencodings.left = 1",
    "hasattr(__import__('encodings'), 'left')",
    false,
  ],
  [
    "a variable of the environment",
    "import os\nos.environ['LEFT'] = '1'",
    "'LEFT' in __import__('os').environ",
    false,
  ],
  ["a mask of files", "import os\nos.umask(0o77)", "__import__('os').umask(0o22)", 0o22],
  [
    "a closed standard output",
    "import os\ntry:\n    os.close(1)\nexcept OSError:\n    pass",
    "__import__('os').fstat(1) is not None",
    true,
  ],
  ["a cache", "import re\nre.compile('left')\nre._left = 1", "hasattr(__import__('re'), '_left')", false],
];

for (const { name, backend, refusal } of await triedBackends())
  describe.skipIf(refusal !== null)(name, () => {
    let sandbox: PythonSandbox;
    beforeAll(async () => {
      // One worker: the probe runs where the program ran.
      sandbox = await openPythonSandbox({ backend, workerCount: 1, cacheSize: 0 });
    });
    afterAll(() => sandbox.close());

    test.each(attempts)("%s is gone", async (_what, program, probe, clean) => {
      const before = "from math import pi\n";
      expect(await sandbox.run({ program })).toMatchObject({ kind: "value", output: "" });
      expect(await sandbox.run({ program: before, query: probe })).toMatchObject({
        kind: "value",
        value: clean,
        output: clean === null ? "here\n" : "",
      });
    });

    test.runIf(name === "native")("a flag of a file that all share is gone", async () => {
      const program =
        "import fcntl\ntry:\n    fcntl.fcntl(0, 4, fcntl.fcntl(0, 3) | 0o4000)\nexcept OSError:\n    pass";
      await sandbox.run({ program });
      const query = "fcntl.fcntl(0, 3) & 0o4000";
      expect(await sandbox.run({ program: "import fcntl", query })).toMatchObject({ value: 0 });
    });

    test.runIf(name === "pyodide")(
      "allowed programs that leave something are told and cost one restore",
      async () => {
        const { harms } = sandbox.counts;
        await sandbox.run({ program: "import math\nmath.e = 2" });
        expect(sandbox.counts.harms).toBe(harms + 1);
        await sandbox.run({ program: "def f(x):\n    return x", query: "f(2)" });
        expect(sandbox.counts.harms).toBe(harms + 1);
      },
    );
  });
