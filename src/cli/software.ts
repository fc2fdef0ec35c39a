/** Which software a run is made by, for its folder: version, Node, and the commit of a clone. */
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { RunManifest } from "../store/index.ts";
import type { PackageFolder } from "./discovery/package-folder.ts";
import { readManifest } from "./doctor/packages.ts";

export function softwareOf(place: PackageFolder): RunManifest["software"] {
  return {
    spar: readManifest(place).version,
    node: process.versions.node,
    commit: commitOf(join(place.root, ".git")),
  };
}

/** Reads what HEAD points at; null where this is no clone. */
function commitOf(gitFolder: string): string | null {
  const head = readOptional(join(gitFolder, "HEAD"));
  if (head === null) return null;
  const reference = /^ref: (.+)$/mu.exec(head)?.[1];
  if (reference === undefined) return hashIn(head);
  const loose = readOptional(join(gitFolder, reference));
  if (loose !== null) return hashIn(loose);
  const packed = readOptional(join(gitFolder, "packed-refs")) ?? "";
  const line = packed.split("\n").find((candidate) => candidate.endsWith(` ${reference}`));
  return line === undefined ? null : hashIn(line);
}

function hashIn(text: string): string | null {
  return /^[0-9a-f]{40,64}\b/u.exec(text)?.[0] ?? null;
}

function readOptional(path: string): string | null {
  return existsSync(path) ? readFileSync(path, "utf8") : null;
}
