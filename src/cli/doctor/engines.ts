/** Which engines start here (one that does is enough), what executes their arithmetic and what they can do. */
import { isSparError, messageOf } from "../../base/index.ts";
import { findEngine, listEngines, startEngine, type EngineSettings } from "../discovery/engines.ts";
import type { PackageFolder } from "../discovery/package-folder.ts";
import { countOf } from "../terminal/format.ts";
import type { Check } from "./check.ts";

/** `settings`: where a server is, for engines that speak to one. */
export async function checkEngines(
  place: PackageFolder,
  workingFolder: string,
  settings: EngineSettings = {},
): Promise<Check[]> {
  const checks: Check[] = [];
  // One after another: each takes all cores while it starts.
  for (const { id } of await listEngines(place)) {
    const check = await checkEngine(id, place, workingFolder, id.includes(":") ? {} : settings);
    // An executor that lacks what its engine lacks says nothing new.
    const engine = checks.find(({ name }) => name === nameOf(engineOf(id)));
    if (engine?.detail !== check.detail) checks.push(check);
  }
  if (checks.some(({ status }) => status === "ok")) return checks;
  return checks.map((check) => ({ ...check, status: "missing" }));
}

function engineOf(id: string): string {
  return id.split(":")[0] ?? id;
}

function nameOf(id: string): string {
  return `engine ${id}`;
}

async function checkEngine(
  id: string,
  place: PackageFolder,
  workingFolder: string,
  settings: EngineSettings,
): Promise<Check> {
  const name = nameOf(id);
  try {
    const located = await findEngine({ typed: id, place, workingFolder });
    const engine = await startEngine(located, settings);
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
      detail: messageOf(isSparError(thrown) && isSparError(thrown.cause) ? thrown.cause : thrown),
      fix:
        isSparError(thrown) && thrown.hint !== null
          ? thrown.hint
          : "spar doctor --verbose shows where it fails",
    };
  }
}
