/**
 * `run.json`: what a run is, written once when it begins and readable without any program. Whoever
 * lists, resumes, samples or shows a run reads it first.
 */
import { readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { z } from "zod";
import type { JsonObject } from "../base/index.ts";
import type { EngineDescription } from "../contract/index.ts";
import { recordsVersion } from "../records/index.ts";
import { writeFileAtomic } from "./atomic-files.ts";
import { storeError, withReadErrors } from "./store-errors.ts";
import { checkRecordsVersion } from "./tables.ts";

const jsonObject = z.record(z.string(), z.json());

const manifestSchema = z.object({
  recordsVersion: z.int().positive(),
  id: z.string(),
  recipe: z.object({
    id: z.string(),
    version: z.int(),
    paper: z.string().nullable(),
    file: z.string().exactOptional(),
  }),
  preset: z.string(),
  /** Resolved: every option with its value. */
  options: jsonObject,
  seed: z.int(),
  checkpointEverySteps: z.int().positive(),
  engine: z.object({
    name: z.string(),
    description: z.object({
      id: z.string(),
      executor: z.string(),
      precision: z.enum(["float64", "float32", "bfloat16"]),
      threadCount: z.number(),
      software: z.string(),
    }),
    capabilities: z.array(z.string()),
    options: jsonObject.exactOptional(),
  }),
  software: z.object({ spar: z.string(), node: z.string(), commit: z.string().nullable() }),
  createdMs: z.number(),
});

export interface RunManifest {
  /** Of the records in the folder; a newer one is refused. */
  readonly recordsVersion: number;
  readonly id: string;
  readonly recipe: {
    readonly id: string;
    readonly version: number;
    readonly paper: string | null;
    /** Where it was loaded from, for recipes that do not come with spar. */
    readonly file?: string;
  };
  readonly preset: string;
  /** Resolved: every option with its value. */
  readonly options: JsonObject;
  readonly seed: number;
  readonly checkpointEverySteps: number;
  /** `name` is what was asked for on the command line. */
  readonly engine: {
    readonly name: string;
    readonly description: EngineDescription;
    readonly capabilities: readonly string[];
    /** Of the engine itself, where some were given. */
    readonly options?: JsonObject;
  };
  readonly software: { readonly spar: string; readonly node: string; readonly commit: string | null };
  readonly createdMs: number;
}

/** Writes `run.json`, whole or not at all. */
export function writeManifest(folder: string, manifest: RunManifest): void {
  writeFileAtomic(manifestPath(folder), `${JSON.stringify(manifest, null, 2)}\n`);
}

/** Whether a folder claims to be a run, or does not let anybody see whether it is one. */
export function isRunFolder(folder: string): boolean {
  try {
    return statSync(manifestPath(folder), { throwIfNoEntry: false }) !== undefined;
  } catch (thrown) {
    return thrown instanceof Error && "code" in thrown && thrown.code === "EACCES";
  }
}

/**
 * Reads `run.json`.
 *
 * @throws `not-a-run`, `run-unreadable`, `run-corrupt`, `run-too-new`, `run-too-old`
 */
export function readManifest(folder: string): RunManifest {
  const path = manifestPath(folder);
  if (!isRunFolder(folder)) {
    throw storeError("not-a-run", `expected the folder of a run, found no ${path}`);
  }
  const content = parse(
    withReadErrors(`reading ${path}`, () => readFileSync(path, "utf8")),
    path,
  );
  const version = z.looseObject({ recordsVersion: z.int().positive() }).safeParse(content);
  if (version.success) checkRecordsVersion(version.data.recordsVersion);
  const parsed = manifestSchema.safeParse(content);
  if (!parsed.success) {
    throw storeError("run-corrupt", `expected ${path} to describe a run: ${z.prettifyError(parsed.error)}`);
  }
  return parsed.data;
}

function parse(text: string, path: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw storeError("run-corrupt", `expected ${path} to be JSON of records version ${recordsVersion}`, {
      cause,
    });
  }
}

function manifestPath(folder: string): string {
  return join(folder, "run.json");
}
