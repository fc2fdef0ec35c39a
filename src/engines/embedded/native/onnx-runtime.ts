/**
 * Loads the optional package `onnxruntime-node`, narrowed to the few things that are used of it. Nobody needs it
 * installed to build, test or use the rest of spar.
 */
import { messageOf } from "../../../base/index.ts";
import { packageMissing, packageName } from "./find-onnx-runtime.ts";

export interface OnnxTensor {
  readonly dims: readonly number[];
}

export interface OnnxSession {
  /** Results are written into the tensors of `fetches`. */
  run(
    feeds: Readonly<Record<string, OnnxTensor>>,
    fetches: Readonly<Record<string, OnnxTensor>>,
  ): Promise<unknown>;
  release(): Promise<void>;
}

export interface OnnxRuntime {
  readonly Tensor: new (
    type: "float32" | "int32",
    data: Float32Array<ArrayBufferLike> | Int32Array<ArrayBufferLike>,
    dims: readonly number[],
  ) => OnnxTensor;
  readonly InferenceSession: {
    create(model: Uint8Array, options: Readonly<Record<string, unknown>>): Promise<OnnxSession>;
  };
}

/** @throws `package-missing` where it is not installed or has no library for this machine */
export async function loadOnnxRuntime(): Promise<OnnxRuntime> {
  // A variable, because the types of a package that may be absent cannot be imported.
  const name: string = packageName;
  let found: unknown;
  try {
    found = await import(name);
  } catch (cause) {
    throw packageMissing(`the package ${name} does not load: ${messageOf(cause)}`, cause);
  }
  if (isOnnxRuntime(found)) return found;
  throw packageMissing(`this version of ${name} has no InferenceSession and Tensor`);
}

/** The package's own declarations say the rest. */
function isOnnxRuntime(found: unknown): found is OnnxRuntime {
  return typeof found === "object" && found !== null && "InferenceSession" in found && "Tensor" in found;
}
