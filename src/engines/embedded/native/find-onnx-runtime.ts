/** Whether the optional package `onnxruntime-node` is installed, without loading it, and how to install it. */
import { createRequire } from "node:module";
import { readFileSync } from "node:fs";
import { engineError } from "../../../contract/index.ts";

export const packageName = "onnxruntime-node";

/** Its installation script would download libraries for CUDA, which are not needed, and fails without internet. */
export const installCommand = "npm install --no-save --ignore-scripts onnxruntime-node";

/**
 * The version that is installed.
 *
 * @throws `package-missing`
 */
export function findOnnxRuntime(): string {
  try {
    const path = createRequire(import.meta.url).resolve(`${packageName}/package.json`);
    const manifest: unknown = JSON.parse(readFileSync(path, "utf8"));
    return typeof manifest === "object" && manifest !== null && "version" in manifest
      ? String(manifest.version)
      : "";
  } catch (cause) {
    throw packageMissing(
      `the native executor needs the package ${packageName}, which is not installed`,
      cause,
    );
  }
}

export function hasOnnxRuntime(): boolean {
  try {
    findOnnxRuntime();
    return true;
  } catch {
    return false;
  }
}

export function packageMissing(message: string, cause?: unknown): Error {
  return engineError("package-missing", message, { hint: installCommand, cause });
}
