/** Which engines start here (one that does is enough), what executes their arithmetic and what they can do. */
import { isSparError, messageOf } from "../../base/index.ts";
import { findEngine, listEngines, startEngine } from "../discovery/engines.ts";
import type { PackageFolder } from "../discovery/package-folder.ts";
import { countOf } from "../terminal/format.ts";
import type { Check } from "./check.ts";

export async function checkEngines(place: PackageFolder, workingFolder: string): Promise<Check[]> {
  const checks: Check[] = [];
  // One after another: each takes all cores while it starts.
  for (const { id } of await listEngines(place)) checks.push(await checkEngine(id, place, workingFolder));
  if (checks.some(({ status }) => status === "ok")) return checks;
  return checks.map((check) => ({ ...check, status: "missing" }));
}

async function checkEngine(id: string, place: PackageFolder, workingFolder: string): Promise<Check> {
  const name = `engine ${id}`;
  try {
    const located = await findEngine({ typed: id, place, workingFolder });
    const engine = await startEngine(located, {});
    const { executor, precision, threadCount, software } = engine.description;
    await engine.close();
    return {
      name,
      status: "ok",
      detail: `${executor}, ${precision}, ${countOf(threadCount, "thread")}, ${software}`,
      fix: null,
    };
  } catch (thrown) {
    return {
      name,
      status: "optional",
      detail: messageOf(thrown),
      fix:
        isSparError(thrown) && thrown.hint !== null
          ? thrown.hint
          : "spar doctor --verbose shows where it fails",
    };
  }
}
