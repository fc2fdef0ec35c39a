/**
 * A saved state as a folder. It holds what a model needs to be made from it again, and the address of the state, which is
 * on the server; or, where the server shares the files of this machine, the state itself, beside no address. It appears
 * by renaming, whole or not at all. Holds no key.
 */
import { mkdir, readdir, readFile, rename, rm, stat, writeFile } from "node:fs/promises";
import { dirname, join, resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { z } from "zod";
import { sha256, type JsonObject } from "../../base/index.ts";
import { engineError, type SavedState } from "../../contract/index.ts";

const file = "tinker-state.json";
/** Below the folder: what the server wrote. */
const statesFolder = "state";

/** What a model is made from. */
export interface ModelOrigin {
  readonly baseModel: string;
  /** Null where all weights are trained. */
  readonly lora: { readonly rank: number; readonly seed: number; readonly alpha: number } | null;
  /** What was sent to a server of ours besides. */
  readonly extension: JsonObject;
  readonly sizes: {
    readonly contextLength: number;
    readonly vocabularySize: number;
    readonly parameterCount: number;
    readonly trainableParameterCount: number;
  };
}

/** Whether a model was made with a value head. */
export function hasValueHead({ extension }: Pick<ModelOrigin, "extension">): boolean {
  return extension["head"] === "value";
}

/** A state, and where the server finds it. */
export interface SavedFacts extends ModelOrigin {
  /** The server's address of it: `tinker://...`, or `file://...` for a folder of this machine. */
  readonly path: string;
  readonly stepCount: number;
}

const storedState = z.object({
  format: z.literal(1),
  /** Null where it lies beside. */
  path: z.string().startsWith("tinker://").nullable(),
  baseModel: z.string(),
  lora: z.object({ rank: z.int(), seed: z.int(), alpha: z.number() }).nullable(),
  extension: z.record(z.string(), z.json()),
  sizes: z.object({
    contextLength: z.number(),
    vocabularySize: z.number(),
    parameterCount: z.number(),
    trainableParameterCount: z.number(),
  }),
  stepCount: z.int().nonnegative(),
});

/** @throws `invalid-input` where it exists */
export async function expectNoFolder(folder: string): Promise<void> {
  const exists = await stat(folder).then(
    () => true,
    () => false,
  );
  if (exists) throw engineError("invalid-input", `expected a folder that does not exist yet, got ${folder}`);
}

/** A free path beside a folder, on its disk, to be renamed to it. */
export async function partOf(folder: string): Promise<string> {
  const part = `${resolve(folder)}.part-${sha256(folder).slice(0, 8)}`;
  await mkdir(dirname(part), { recursive: true });
  await rm(part, { recursive: true, force: true });
  return part;
}

/**
 * Saves a state. `save` is given the folder for its files where the server shares those of this machine, else null, and
 * gives the facts with the address.
 *
 * @throws `invalid-input` where the folder exists
 */
export async function saveFolder(
  folder: string,
  { sharesFiles }: { readonly sharesFiles: boolean },
  save: (states: string | null) => Promise<SavedFacts>,
): Promise<SavedState> {
  await expectNoFolder(folder);
  const part = await partOf(folder);
  await mkdir(part);
  try {
    const { path, ...facts } = await save(sharesFiles ? join(part, statesFolder) : null);
    const state = { format: 1, path: sharesFiles ? null : path, ...facts };
    const text = `${JSON.stringify(state, null, 2)}\n`;
    const content = `${JSON.stringify({ digest: sha256(text) })}\n${text}`;
    await writeFile(join(part, file), content, { flush: true });
    const bytes = await bytesBelow(part);
    await rename(part, folder);
    return { folder, bytes, digest: null };
  } catch (thrown) {
    await rm(part, { recursive: true, force: true });
    throw thrown;
  }
}

async function bytesBelow(folder: string): Promise<number> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const sizes = entries
    .filter((entry) => entry.isFile())
    .map(async (entry) => (await stat(join(entry.parentPath, entry.name))).size);
  return (await Promise.all(sizes)).reduce((sum, size) => sum + size, 0);
}

/** @throws `state-unreadable` */
export async function readState(folder: string): Promise<SavedFacts> {
  try {
    const content = await readFile(join(folder, file), "utf8");
    const [head = "", ...rest] = content.split("\n");
    const text = rest.join("\n");
    const { digest } = z.object({ digest: z.string() }).parse(JSON.parse(head));
    if (digest !== sha256(text)) throw new Error("its digest is another");
    const { path, format: _, ...facts } = storedState.parse(JSON.parse(text));
    return { ...facts, path: path ?? pathToFileURL(join(resolve(folder), statesFolder)).href };
  } catch (cause) {
    throw engineError("state-unreadable", `expected a saved state in ${folder}, got none that can be read`, {
      hint: "it was cut, or another engine wrote it",
      cause,
    });
  }
}
