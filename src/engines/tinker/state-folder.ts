/**
 * A saved state as a folder: the state itself is on the server, the folder holds its address and what a model needs to
 * be made from it again. It appears by renaming, whole or not at all. Holds no key.
 */
import { mkdir, readFile, rename, rm, stat, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { z } from "zod";
import { sha256, type JsonObject } from "../../base/index.ts";
import { engineError, type SavedState } from "../../contract/index.ts";

const file = "tinker-state.json";

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

/** A state as it is written down. */
export interface StoredState extends ModelOrigin {
  readonly format: 1;
  /** The server's address of it. */
  readonly path: string;
  readonly stepCount: number;
}

const storedState: z.ZodType<StoredState> = z.object({
  format: z.literal(1),
  path: z.string().startsWith("tinker://"),
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

/** @throws `invalid-input` where the folder exists */
export async function writeState(folder: string, state: StoredState): Promise<SavedState> {
  await expectNoFolder(folder);
  const text = `${JSON.stringify(state, null, 2)}\n`;
  const content = `${JSON.stringify({ digest: sha256(text) })}\n${text}`;
  const part = `${folder}.part-${sha256(folder + text).slice(0, 8)}`;
  await mkdir(dirname(folder), { recursive: true });
  await rm(part, { recursive: true, force: true });
  await mkdir(part);
  await writeFile(join(part, file), content, { flush: true });
  await rename(part, folder);
  return { folder, bytes: Buffer.byteLength(content), digest: null };
}

/** @throws `state-unreadable` */
export async function readState(folder: string): Promise<StoredState> {
  try {
    const content = await readFile(join(folder, file), "utf8");
    const [head = "", ...rest] = content.split("\n");
    const text = rest.join("\n");
    const { digest } = z.object({ digest: z.string() }).parse(JSON.parse(head));
    if (digest !== sha256(text)) throw new Error("its digest is another");
    return storedState.parse(JSON.parse(text));
  } catch (cause) {
    throw engineError("state-unreadable", `expected a saved state in ${folder}, got none that can be read`, {
      hint: "it was cut, or another engine wrote it",
      cause,
    });
  }
}
