/** How to call spar from where the reader is: by name where it is installed, through npx in a clone. */
import type { Shell } from "./shell.ts";

export function commandName(shell: Pick<Shell, "place">): string {
  return shell.place.extension === ".ts" ? "npx spar" : "spar";
}
