/**
 * The proof at start-up: quick programs that want out are tried on the very workers that will be used, and an ordinary one
 * afterwards. A sandbox that fails it is never handed to anybody. Knows no backend.
 */
import { sandboxError } from "./errors.ts";
import { judgeEscape, readEscapes } from "./escapes.ts";
import type { PythonSandbox } from "./sandbox.ts";
import { judgeValue } from "./verdict.ts";

/** @throws `proof-failed` */
export async function prove(sandbox: Pick<PythonSandbox, "backend" | "run">): Promise<void> {
  const escapes = readEscapes().filter(({ isProof }) => isProof);
  const failures = await Promise.all(
    escapes.map(async (escape) => {
      const failure = judgeEscape(escape, await sandbox.run(escape.request));
      return failure === null ? [] : [`${escape.name}: ${failure}`];
    }),
  );
  const ordinary = await sandbox.run({ program: "def f(x):\n    return [x, x * 2]", query: "f(21)" });
  const verdict = judgeValue(ordinary, ["list", 21, 42]);
  const found = [...failures.flat(), ...(verdict.kind === "pass" ? [] : ["an ordinary program did not run"])];
  if (found.length === 0) return;
  throw sandboxError(
    "proof-failed",
    `the ${sandbox.backend.id} backend does not keep programs in: ${found[0] ?? ""}`,
    {
      hint: "do not run untrusted programs with it on this machine; use the other backend",
      facts: { failures: found.join("; ").slice(0, 4000), failureCount: found.length },
    },
  );
}
