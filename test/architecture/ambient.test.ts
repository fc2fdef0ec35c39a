/**
 * Time, chance, environment and the console are arguments, not surroundings: a run is repeated bit for bit only when
 * nothing reads them behind its back. `base` wraps them once, `cli` hands them in.
 */
import { expect, test } from "vitest";
import { at, findInCode, isTest, listFiles } from "./tree.ts";

interface Law {
  readonly what: string;
  readonly pattern: RegExp;
  readonly instead: string;
}

const laws: readonly Law[] = [
  {
    what: "Math.random",
    pattern: /\bMath\.random\b/,
    instead: "take a Random, split by label from the run's seed",
  },
  {
    what: "clock",
    pattern: /\bDate\.now\b|\bnew Date\(\)|\bperformance\.now\b|\bprocess\.(hrtime|uptime)\b/,
    instead: "take a Clock",
  },
  {
    what: "environment",
    pattern: /\bprocess\.(env|argv|cwd|exit|stdout|stderr|stdin|on|once|kill)\b/,
    instead: "take an option; the command line reads the environment once",
  },
  { what: "console", pattern: /\bconsole\.\w+\(/, instead: "report through Report or return a value" },
  {
    what: "timer",
    pattern: /\bset(Timeout|Interval)\(|node:timers/,
    instead: "use withDeadline; a timer that must be elsewhere needs a written exception here",
  },
];

/** Written exceptions: a path prefix, what is allowed there, and why. */
const exceptions: readonly { readonly path: string; readonly what: string; readonly why: string }[] = [
  { path: "src/base/", what: "*", why: "base wraps them, once" },
  { path: "src/cli/", what: "*", why: "the command line is where the surroundings come in" },
  { path: "recipes/from-scratch/", what: "environment", why: "a program of its own, which prints" },
  { path: "src/engines/embedded/executor/", what: "clock", why: "profiling of kernels; reaches no result" },
  {
    path: "src/engines/torch/",
    what: "environment",
    why: "asks the system whether processes live, and ends those that it started",
  },
  {
    path: "src/verifiers/python/pyodide/",
    what: "environment",
    why: "programs of their own, which run untrusted code and have no command line around them",
  },
  {
    path: "src/store/episode-journal.ts",
    what: "timer",
    why: "groups commits; a crash loses at most that moment",
  },
  {
    path: "src/testing/timer.ts",
    what: "timer",
    why: "wraps timers, so that fakes can be slow without being slow",
  },
];

const published = [...listFiles("src"), ...listFiles("recipes")].filter(
  (file) => file.endsWith(".ts") && !isTest(file) && !/^recipes\/[^/]+\/tools\//.test(file),
);

for (const law of laws) {
  test(`${law.what} is used where it is allowed alone`, () => {
    const broken = published
      .filter(
        (file) =>
          !exceptions.some(({ path, what }) => file.startsWith(path) && (what === "*" || what === law.what)),
      )
      .flatMap((file) => findInCode(file, law.pattern).map(({ line, text }) => at(file, line, text)));
    expect(broken, `${law.instead}:\n${broken.join("\n")}\n`).toEqual([]);
  });
}

test("an exception that nothing needs any more is removed", () => {
  const stale = exceptions
    .filter(({ what }) => what !== "*")
    .filter(({ path, what }) => {
      const law = laws.find((one) => one.what === what);
      return (
        law === undefined ||
        !published.some((file) => file.startsWith(path) && findInCode(file, law.pattern).length > 0)
      );
    });
  expect(stale).toEqual([]);
});
