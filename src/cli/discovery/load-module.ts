/** Imports a module by file, with an error for people where that fails. Knows no recipe or engine. */
import { existsSync } from "node:fs";
import { pathToFileURL } from "node:url";
import { messageOf, SparError } from "../../base/index.ts";

export interface ModuleRequest {
  readonly file: string;
  /** "recipe", "engine". */
  readonly kind: string;
}

/** Whether what was typed names a file rather than one of ours. */
export function looksLikePath(typed: string): boolean {
  return typed.includes("/") || typed.includes("\\") || /\.[cm]?[jt]s$/u.test(typed);
}

/**
 * The exports of a module.
 *
 * @throws `file-missing`, `module-unreadable`
 */
export async function loadModule(request: ModuleRequest): Promise<Readonly<Record<string, unknown>>> {
  const { file, kind } = request;
  if (!existsSync(file)) {
    throw new SparError({
      code: "file-missing",
      boundary: "command",
      message: `no ${kind} file at ${file}`,
      hint: "check the path; spar list shows what comes with spar",
    });
  }
  try {
    const exports: unknown = await import(pathToFileURL(file).href);
    return { ...(exports as object) };
  } catch (thrown) {
    throw new SparError({
      code: "module-unreadable",
      boundary: "command",
      message: `the ${kind} file ${file} cannot be loaded: ${firstLine(messageOf(thrown))}`,
      hint: "add --verbose to see where it fails",
      cause: thrown,
    });
  }
}

function firstLine(text: string): string {
  return text.split("\n")[0] ?? "";
}
