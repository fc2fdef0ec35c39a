/**
 * Where the package lies and whether we run from its sources (a clone) or from what was built (an
 * installation). Recipes and engines are found by folder from here; nothing lists them.
 */
import { existsSync, readdirSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

export interface PackageFolder {
  /** The folder of package.json. */
  readonly root: string;
  /** Where compiled or source modules start: the root of a clone, `dist` of an installation. */
  readonly modules: string;
  /** `.ts` in a clone, `.js` in an installation. */
  readonly extension: ".ts" | ".js";
}

/** Finds it from the place of a module of ours. */
export function findPackageFolder(moduleUrl: string): PackageFolder {
  const file = fileURLToPath(moduleUrl);
  const extension = file.endsWith(".ts") ? ".ts" : ".js";
  let folder = dirname(file);
  while (!existsSync(join(folder, "package.json")) && dirname(folder) !== folder) folder = dirname(folder);
  return { root: folder, modules: extension === ".ts" ? folder : join(folder, "dist"), extension };
}

/** Folders below `parent` that hold a module of this name: its id and the file. */
export function modulesByFolder(
  place: PackageFolder,
  parent: string,
  moduleName: string,
): { readonly id: string; readonly file: string }[] {
  const folder = join(place.modules, parent);
  if (!existsSync(folder)) return [];
  return readdirSync(folder)
    .toSorted()
    .map((id) => ({ id, file: join(folder, id, `${moduleName}${place.extension}`) }))
    .filter(({ file }) => existsSync(file));
}
