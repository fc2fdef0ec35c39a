/** Whether Python that a model wrote can be executed here, and apart from this machine: each backend is started and proved. */
import { isSparError, messageOf } from "../../base/index.ts";
import { python as verifier } from "../../verifiers/index.ts";
import type { PythonPlace } from "../discovery/python-games.ts";
import { usualPython } from "../discovery/python-games.ts";
import type { Check } from "./check.ts";

const purpose = "for programs that models wrote";

/** One after another: each takes a core while it starts. */
export async function checkSandboxes({ python = usualPython(), environment }: PythonPlace): Promise<Check[]> {
  return [
    await checkSandbox("pyodide", () => verifier.pyodideBackend()),
    await checkSandbox("native", () => verifier.nativeBackend({ python, environment })),
  ];
}

async function checkSandbox(id: string, backendOf: () => verifier.PythonBackend): Promise<Check> {
  const name = `Python sandbox ${id}`;
  try {
    const backend = backendOf();
    await using sandbox = await verifier.openPythonSandbox({ backend, workerCount: 1 });
    return { name, status: "ok", detail: `${sandbox.backend.software}, proved, ${purpose}`, fix: null };
  } catch (thrown) {
    const fix = isSparError(thrown) && thrown.hint !== null ? thrown.hint : "spar doctor --verbose";
    return { name, status: "optional", detail: `${messageOf(thrown)}, only ${purpose}`, fix };
  }
}
