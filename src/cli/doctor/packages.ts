/** Optional packages of package.json: which are there, and the command that installs the others. */
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { z } from "zod";
import type { PackageFolder } from "../discovery/package-folder.ts";
import type { Check } from "./check.ts";

const manifestSchema = z.object({
  version: z.string(),
  engines: z.object({ node: z.string() }),
  peerDependencies: z.record(z.string(), z.string()).default({}),
  peerDependenciesMeta: z.record(z.string(), z.object({ optional: z.boolean().optional() })).default({}),
  optionalDependencies: z.record(z.string(), z.string()).default({}),
});

export type Manifest = z.output<typeof manifestSchema>;

export function readManifest(place: PackageFolder): Manifest {
  return manifestSchema.parse(JSON.parse(readFileSync(join(place.root, "package.json"), "utf8")));
}

export function checkPackages(place: PackageFolder, manifest: Manifest): Check[] {
  const peers = Object.entries(manifest.peerDependencies).filter(
    ([name]) => manifest.peerDependenciesMeta[name]?.optional === true,
  );
  const optional = [...peers, ...Object.entries(manifest.optionalDependencies)];
  return optional.map(([name, range]) => checkPackage(place, name, range));
}

/** What an optional package is for, in the words of a reader who has to decide. */
const purposes: Readonly<Record<string, string>> = {
  openai: "only for players behind the OpenAI-compatible protocol",
  vitest: "only for tests of your own with spar/testing",
};

/** One package: whether it is there, and how it would come. */
export function checkPackage(place: PackageFolder, name: string, range: string): Check {
  const isInstalled = isResolvable(place, name);
  return {
    name,
    status: isInstalled ? "ok" : "optional",
    detail: `${isInstalled ? "installed" : "not installed"}, ${purposes[name] ?? "optional"}`,
    fix: isInstalled ? null : `npm install ${name}@"${range}"`,
  };
}

function isResolvable(place: PackageFolder, name: string): boolean {
  try {
    createRequire(join(place.root, "package.json")).resolve(name);
    return true;
  } catch {
    return false;
  }
}
