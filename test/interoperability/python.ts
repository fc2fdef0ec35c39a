/**
 * The Python that the tests of this folder run against: `SPAR_TEST_PYTHON`, else python3. Where a package
 * is not there its tests are skipped, and the reason is printed; where `SPAR_TEST_PYTHON` is set they fail.
 */
import { messageOf } from "../../src/base/index.ts";
import { startPythonGames, type PythonGames, type PythonLibrary } from "../../src/services/index.ts";

const named = process.env["SPAR_TEST_PYTHON"];
export const python: string = named ?? (process.platform === "win32" ? "python" : "python3");

export function startGames(): PythonGames {
  return startPythonGames({ python, environment: process.env });
}

/** Why tests that need Python, or one of its packages, are skipped; null where they run. */
export async function reasonToSkip(library?: PythonLibrary): Promise<string | null> {
  const reason = await findReason(library);
  if (reason === null) return null;
  if (named !== undefined) throw new Error(`SPAR_TEST_PYTHON=${named}: ${reason}`);
  process.stderr.write(`skipped: ${reason}; docs/interoperability.md says how to install it\n`);
  return reason;
}

async function findReason(library: PythonLibrary | undefined): Promise<string | null> {
  await using games = startGames();
  try {
    const { executable, packages } = await games.probe();
    if (library === undefined || packages[library] !== null) return null;
    return `${executable} has no package ${library}`;
  } catch (thrown) {
    return messageOf(thrown);
  }
}
