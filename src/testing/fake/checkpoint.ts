/**
 * The fake engine's states and exports on disk. A state is one JSON file with arrays as base64, so
 * it comes back bit for bit; folders appear by renaming, complete or not at all.
 */
import { mkdir, readFile, rename, rm, stat, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { z } from "zod";
import { sha256 } from "../../base/index.ts";
import {
  engineError,
  initialOptimizerState,
  optimizerKinds,
  type OptimizerState,
  type SavedState,
  type TokenizerDefinition,
  type Tuning,
} from "../../contract/index.ts";
import type { NetworkSizes } from "./layout.ts";

const stateFile = "fake-model.json";

/** Everything that a model is. */
export interface FakeState {
  readonly sizes: NetworkSizes;
  readonly contextLength: number;
  readonly head: "policy" | "value";
  readonly tuning: Tuning;
  readonly tokenizer: TokenizerDefinition | null;
  /** Weights below the trained numbers; the same as them with full tuning. */
  readonly base: Float64Array;
  readonly trained: Float64Array;
  readonly optimizer: OptimizerState;
  readonly stepCount: number;
}

const numbers = z.string().transform(decode);

/** A state as it lies on disk. */
const storedState = z.object({
  sizes: z.object({ vocabularySize: z.int().positive(), width: z.int().positive() }),
  contextLength: z.int().positive(),
  head: z.enum(["policy", "value"]),
  tuning: z.discriminatedUnion("kind", [
    z.object({ kind: z.literal("full") }),
    z.object({ kind: z.literal("lora"), rank: z.int().positive(), alpha: z.number(), seed: z.int() }),
  ]),
  tokenizer: z.object({ tokenizerJson: z.string(), tokenizerConfigJson: z.string() }).nullable(),
  base: numbers,
  trained: numbers,
  optimizer: z.object({
    kind: z.enum(optimizerKinds).nullable(),
    stepCount: z.int(),
    first: numbers,
    second: numbers,
  }),
  stepCount: z.int(),
});

/** Writes a state. @throws `invalid-input` when the folder exists */
export async function saveState(folder: string, state: FakeState): Promise<SavedState> {
  const { base, trained, optimizer, ...plain } = state;
  const text = JSON.stringify({
    ...plain,
    base: encode(base),
    trained: encode(trained),
    optimizer: { ...optimizer, first: encode(optimizer.first), second: encode(optimizer.second) },
  });
  await writeFolder(folder, { [stateFile]: text });
  return { folder, bytes: Buffer.byteLength(text), digest: sha256(text) };
}

/** @throws `state-unreadable` */
export async function loadState(folder: string): Promise<FakeState> {
  try {
    const text = await readFile(join(folder, stateFile), "utf8");
    const { base, trained, optimizer, ...plain } = storedState.parse(JSON.parse(text));
    if (optimizer.first.length !== trained.length) throw new Error("optimizer and weights differ in size");
    return { ...plain, base, trained, optimizer };
  } catch (cause) {
    throw engineError("state-unreadable", `expected a saved state of the fake engine in ${folder}`, {
      cause,
    });
  }
}

/** The state with a new optimizer. */
export function withoutOptimizer(state: FakeState): FakeState {
  return { ...state, optimizer: initialOptimizerState(state.trained.length) };
}

/** Writes files into a new folder that appears whole. @throws `invalid-input` when it exists */
export async function writeFolder(
  folder: string,
  files: Readonly<Record<string, string | Uint8Array>>,
): Promise<void> {
  const exists = await stat(folder).then(
    () => true,
    () => false,
  );
  if (exists) {
    throw engineError("invalid-input", `expected a folder that does not exist yet, got ${folder}`, {
      hint: "choose another folder, or remove this one",
    });
  }
  const partial = `${folder}.partial`;
  await rm(partial, { recursive: true, force: true });
  await mkdir(dirname(folder), { recursive: true });
  await mkdir(partial);
  for (const [name, content] of Object.entries(files)) await writeFile(join(partial, name), content);
  await rename(partial, folder);
}

/** One tensor in the safetensors layout: length of the header, header, numbers. */
export function safetensors(name: string, values: Float64Array): Uint8Array {
  const data = new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
  const header = JSON.stringify({
    [name]: { dtype: "F64", shape: [values.length], data_offsets: [0, data.length] },
  });
  const length = new Uint8Array(8);
  new DataView(length.buffer).setBigUint64(0, BigInt(header.length), true);
  return Buffer.concat([length, Buffer.from(header), data]);
}

function encode(values: Float64Array): string {
  return Buffer.from(values.buffer, values.byteOffset, values.byteLength).toString("base64");
}

function decode(text: string): Float64Array {
  const bytes = Uint8Array.from(Buffer.from(text, "base64"));
  return new Float64Array(bytes.buffer);
}
