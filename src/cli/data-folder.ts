/** Where things lie that outlive a run and belong to this user: installed engines, servers that run on their own. */
import { homedir } from "node:os";
import { join, resolve } from "node:path";
import type { Shell } from "./shell.ts";

/** SPAR_DATA, else `spar` where the system keeps a user's data. */
export function dataFolderOf({
  environment,
  workingFolder,
}: Pick<Shell, "environment" | "workingFolder">): string {
  const { SPAR_DATA: named, XDG_DATA_HOME: xdg, LOCALAPPDATA: windows } = environment;
  if (named !== undefined && named !== "") return resolve(workingFolder, named);
  // Relative paths in this variable are to be ignored.
  if (xdg?.startsWith("/") === true) return join(xdg, "spar");
  if (process.platform === "win32" && windows !== undefined) return join(windows, "spar");
  return join(environment["HOME"] ?? homedir(), ".local", "share", "spar");
}
