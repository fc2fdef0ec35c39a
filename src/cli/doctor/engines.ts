/** Which engines start here, what executes their arithmetic and what they can do. */
import { messageOf } from "../../base/index.ts";
import { findEngine, listEngineIds, startEngine } from "../discovery/engines.ts";
import type { PackageFolder } from "../discovery/package-folder.ts";
import { countOf } from "../terminal/format.ts";
import type { Check } from "./check.ts";

export async function checkEngines(place: PackageFolder, workingFolder: string): Promise<Check[]> {
  const checks: Check[] = [];
  // One after another: each takes all cores while it starts.
  for (const id of listEngineIds(place)) checks.push(await checkEngine(id, place, workingFolder));
  return checks;
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
      status: "missing",
      detail: messageOf(thrown),
      fix: "spar doctor --verbose shows where it fails",
    };
  }
}
