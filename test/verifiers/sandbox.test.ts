/** What is promised of the sandbox beside keeping programs in: limits, determinism, bad input, cancelling, an end without remains. */
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import {
  explainExecution,
  judgeDeterminism,
  judgeValue,
  openPythonSandbox,
  pyodideBackend,
  type PythonBackend,
  type PythonExecution,
  type PythonSandbox,
  type PythonValue,
} from "../../src/verifiers/python/index.ts";
import { triedBackends } from "./backends.ts";

// Guards against what hangs: a crowded machine is no failure.
vi.setConfig({ testTimeout: 900_000, hookTimeout: 900_000 });

const square = "def f(x):\n    return x * x\n";

for (const { name, backend, refusal } of await triedBackends())
  describe.skipIf(refusal !== null)(name, () => {
    let sandbox: PythonSandbox;
    beforeAll(async () => {
      sandbox = await openPythonSandbox({ backend, workerCount: 2 });
    });
    afterAll(() => sandbox.close());

    const abductions: readonly (readonly [
      program: string,
      input: string,
      output: PythonValue,
      isRight: boolean,
    ])[] = [
      ...["4", "-4", "4.0", "4+0j"].map((input) => [square, input, 16, true] as const),
      ...["5", '"a"', "", "5) or (True", "Equal()"].map((input) => [square, input, 16, false] as const),
      ["def f(x):\n    return sorted(x)", "[2, 1]", ["list", 1, 2], true],
      ["def f(x):\n    return set(x)", "[2, 1, 1]", ["set", 1, 2], true],
      ["def f(x):\n    return list(x)", "(1, 2)", ["list", 1, 2], true],
      ["def f(x):\n    return x", "(1, 2)", ["list", 1, 2], false],
      ["def f(x):\n    return x", "True", 1, true],
      ["def f(x):\n    return x / 3", "0.3", ["float", "0.1"], false],
      [
        "class Point:\n    def __init__(self, x):\n        self.x = x\ndef f(p):\n    return p.x",
        "Point(7)",
        7,
        true,
      ],
      ["def f(a, *rest, key=0):\n    return a + sum(rest) + key", "1, 2, 3, key=4  # ten", 10, true],
    ];
    test.each(abductions)("%s with %s against %j: %s", async (program, input, output, isRight) => {
      const query = { call: "f", arguments: input, mode: "data" } as const;
      expect(judgeValue(await sandbox.run({ program, query }), output).kind).toBe(isRight ? "pass" : "fail");
    });

    const changing: readonly (readonly [what: string, program: string, isStable: boolean])[] = [
      ["the argument changed in place", "def f():\n    x = [3, 1]\n    x.sort()\n    return x", true],
      ["a list of math.nan", "import math\ndef f():\n    return [math.nan]", true],
      ["a set of text", "def f():\n    return {'a', 'b', 'c'}", true],
      ["a nan", "def f():\n    return float('nan')", false],
      ["a list of a fresh nan", "def f():\n    return [float('nan')]", false],
      ["an object", "class A:\n    pass\ndef f():\n    return A()", false],
      ["a generator", "def f():\n    return (x for x in [1])", false],
      ["a function", "def f():\n    return lambda: 1", false],
      ["an address", "def f():\n    return id(object())", false],
      ["the hash of a text", "def f():\n    return hash('spar')", false],
      ["the order of a set", "def f():\n    return list({'a', 'b', 'c', 'd', 'e', 'f', 'g'})", false],
      ["the clock", "import time\ndef f():\n    return time.time()", false],
      ["chance", "import random\ndef f():\n    return random.random()", false],
      ["entropy of the system", "import os\ndef f():\n    return os.urandom(8)", false],
      ["a random identifier", "import uuid\ndef f():\n    return str(uuid.uuid4())", false],
      ["the date", "import datetime\ndef f():\n    return str(datetime.datetime.now())", false],
    ];
    test.each(changing)("%s: deterministic %#", async (_what, program, isStable) => {
      const executions: PythonExecution[] = [];
      for (const environmentSeed of [0, 1])
        executions.push(await sandbox.run({ program, query: "f()", environmentSeed }));
      expect(judgeDeterminism(executions).kind).toBe(isStable ? "pass" : "fail");
    });

    const broken: readonly (readonly [what: string, program: string, query: string | null])[] = [
      ["a null byte", "x = 1\0", null],
      ["half a character", "x = '\ud800'", "x"],
      ["ten megabytes", `x = ${"1 + ".repeat(2_500_000)}1`, "x"],
      ["a megabyte of one expression", `x = ${"1 + ".repeat(200_000)}1`, "x"],
      ["deep parentheses", "(".repeat(50_000), null],
      [
        "deep indentation",
        Array.from({ length: 300 }, (_, depth) => `${" ".repeat(depth)}if 1:`).join("\n"),
        null,
      ],
      ["an answer that is a program", "", "def f():\n    return 1"],
      ["an answer that is a sentence", "", "The answer is 42."],
      ["an answer without an end", "", "'''"],
      ["nothing", "", ""],
    ];
    test.each(broken)(
      "%s gets its verdict",
      async (_what, program, query) => {
        const execution = await sandbox.run({ program, query, limits: { timeMs: 2000 } });
        expect(["exception", "limit"]).toContain(execution.kind);
        expect(explainExecution(execution)).not.toContain("\n");
        expect(await sandbox.run({ program: square, query: "f(12)" })).toMatchObject({ value: 144 });
      },
      60_000,
    );

    test("an exception says its type, its line and whose it is", async () => {
      const program = "def f(x):\n    y = 1\n    return y / x\n";
      expect(await sandbox.run({ program, query: "f(0)" })).toMatchObject({
        kind: "exception",
        name: "ZeroDivisionError",
        where: "program",
        line: 3,
      });
      expect(await sandbox.run({ program, query: "g(0)" })).toMatchObject({
        name: "NameError",
        where: "query",
      });
      expect(await sandbox.run({ program: "x = 1\ny =", query: null })).toMatchObject({
        name: "SyntaxError",
        where: "program",
        line: 2,
      });
    });

    test("a limit was confirmed by a fresh worker", async () => {
      const execution = await sandbox.run({ program: "while True: pass", limits: { timeMs: 100 } });
      expect(execution).toEqual({ kind: "limit", limit: "time", isConfirmed: true });
    });

    test("data is comprehensions and classes too, whatever their variables are called", async () => {
      const program =
        "from collections import Counter\nx = 5\nclass Point:\n    def __init__(self, x):\n        self.x = x\ndef f(p, *rest):\n    return [p.x, *rest]\n";
      const input = 'Point([x for x in [1, 2]]), Counter("aab"), {a: b for a, b in [(1, 2)]}';
      expect(
        await sandbox.run({ program, query: { call: "f", arguments: input, mode: "data" } }),
      ).toMatchObject({
        value: ["list", ["list", 1, 2], ["Counter", ["a", 2], ["b", 1]], ["dict", [1, 2]]],
      });
    });

    test("almost as much as is allowed comes through whole", async () => {
      const program = "text = '\\u1234' * 300_000\nprint(text)";
      const { lost } = sandbox.counts;
      const executions = await Promise.all(
        [0, 2, 4].map((environmentSeed) => sandbox.run({ program, query: "text", environmentSeed })),
      );
      for (const execution of executions)
        expect(execution).toMatchObject({ kind: "value", output: `${"\u1234".repeat(300_000)}\n` });
      expect(sandbox.counts.lost).toBe(lost);
    });

    test("what was printed is kept, and is no value", async () => {
      expect(await sandbox.run({ program: "print('a', 1)\nprint('b', end='')" })).toEqual({
        kind: "value",
        value: null,
        output: "a 1\nb",
      });
    });
  });

describe("around the interpreter", () => {
  let sandbox: PythonSandbox;
  beforeAll(async () => {
    sandbox = await openPythonSandbox({ backend: pyodideBackend(), workerCount: 1 });
  });
  afterAll(() => sandbox.close());

  test("the same request is executed once", async () => {
    const request = { program: square, query: "f(3)" };
    const first = await sandbox.run(request);
    const { executions, fromCache } = sandbox.counts;
    expect(await sandbox.run(request)).toEqual(first);
    expect(sandbox.counts).toMatchObject({ executions, fromCache: fromCache + 1 });
  });

  test("a program that waits is cancelled, and the one that runs is not heard of", async () => {
    const stop = new AbortController();
    const slow = { program: "while True: pass", limits: { timeMs: 300 } };
    const [running, ...waiting] = [0, 1, 2].map((environmentSeed) =>
      sandbox.run({ ...slow, environmentSeed }, { signal: stop.signal }).catch((thrown: unknown) => thrown),
    );
    stop.abort();
    for (const end of [running, ...waiting]) expect(await end).toMatchObject({ code: "aborted" });
    expect(await sandbox.run({ program: square, query: "f(5)" })).toMatchObject({ value: 25 });
  });

  test("limits and seeds that make no sense are refused with what was expected", async () => {
    await expect(sandbox.run({ program: "", limits: { timeMs: 0 } })).rejects.toMatchObject({
      code: "invalid-limits",
    });
    await expect(sandbox.run({ program: "", environmentSeed: -1 })).rejects.toMatchObject({
      code: "invalid-request",
    });
  });

  test("a worker that is killed from outside costs one more try", async () => {
    const backend = withKnownWorkers(pyodideBackend());
    await using own = await openPythonSandbox({ backend, workerCount: 1, cacheSize: 0 });
    const slow = own.run({ program: "n = sum(i for i in range(3_000_000))", query: "n > 0" });
    await expect.poll(() => backend.openCounts()).toContain(1);
    await backend.killBusy();
    expect(await slow).toMatchObject({ kind: "value", value: true });
    expect(own.counts.lost).toBe(1);
    expect(await own.run({ program: square, query: "f(6)" })).toMatchObject({ value: 36 });
  });

  test("a closed sandbox takes nothing and leaves no process", async () => {
    const backend = withKnownWorkers(pyodideBackend());
    const own = await openPythonSandbox({ backend, workerCount: 2 });
    await own.close();
    await expect(own.run({ program: square })).rejects.toMatchObject({ code: "sandbox-closed" });
    expect(backend.haveEnded()).toBe(true);
  });

  test("a backend that keeps nothing in is refused before anybody uses it", async () => {
    const honest = pyodideBackend();
    const leaky: PythonBackend = {
      ...honest,
      start: async () => {
        const worker = await honest.start();
        return {
          get openCount() {
            return worker.openCount;
          },
          get hasEnded() {
            return worker.hasEnded;
          },
          hashSeed: 1,
          close: () => worker.close(),
          run: async (request) =>
            request.program.includes("/etc/passwd")
              ? { kind: "answered", answer: { kind: "value", value: "root:x", output: "" } }
              : worker.run(request),
        };
      },
    };
    await expect(openPythonSandbox({ backend: leaky, workerCount: 1 })).rejects.toMatchObject({
      code: "proof-failed",
      message: expect.stringContaining("file-read"),
    });
  });
});

/** A backend whose workers can be looked at and killed. */
function withKnownWorkers(backend: PythonBackend) {
  const workers: Awaited<ReturnType<PythonBackend["start"]>>[] = [];
  return {
    ...backend,
    start: async () => {
      const worker = await backend.start();
      workers.push(worker);
      return worker;
    },
    openCounts: () => workers.map(({ openCount }) => openCount),
    haveEnded: () => workers.length > 0 && workers.every(({ hasEnded }) => hasEnded),
    killBusy: async () => {
      for (const worker of workers) if (worker.openCount > 0) await worker.close();
    },
  };
}
