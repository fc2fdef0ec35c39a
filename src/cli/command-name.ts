/** How to call spar from where the reader is: by name where it is installed for all, through npx elsewhere. */
import { join, sep } from "node:path";
import type { Shell } from "./shell.ts";

export function commandName(shell: Pick<Shell, "place" | "workingFolder">): string {
  const { place, workingFolder } = shell;
  const isLocal =
    place.extension === ".ts" || place.root.startsWith(join(workingFolder, "node_modules") + sep);
  return isLocal ? "npx spar" : "spar";
}
