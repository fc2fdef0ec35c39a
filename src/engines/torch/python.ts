/** Where Python for the worker is, and the worker itself: part of this package, whatever Python it runs on. */
import { existsSync } from "node:fs";
import { delimiter, dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { assert } from "../../base/index.ts";
import { notInstalled } from "./errors.ts";

/** Of the process that asks, and where this engine keeps what it needs on this machine. */
export interface Surroundings {
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** The user's folder for what is installed: `~/.local/share/spar`. */
  readonly dataFolder: string;
}

/** The folder of the worker's package. */
export function workerFolder(): string {
  let folder = dirname(fileURLToPath(import.meta.url));
  while (!existsSync(join(folder, "python", "worker", "pyproject.toml")) && dirname(folder) !== folder)
    folder = dirname(folder);
  const found = join(folder, "python", "worker");
  assert(existsSync(found), "the package holds its worker");
  return found;
}

/** What this engine keeps in the user's data folder. */
export function torchFolder(dataFolder: string): string {
  return join(dataFolder, "engines", "torch");
}

/** The environment that `install` makes. */
export function installedFolder(dataFolder: string): string {
  return join(torchFolder(dataFolder), "environment");
}

/** The interpreter of an environment. */
export function pythonOf(environmentFolder: string): string {
  return process.platform === "win32"
    ? join(environmentFolder, "Scripts", "python.exe")
    : join(environmentFolder, "bin", "python");
}

/** The first of: what was asked for, SPAR_PYTHON, what was installed. @throws `package-missing` */
export function findPython(asked: string, { environment, dataFolder }: Surroundings): string {
  if (asked !== "") return asked;
  const named = environment["SPAR_PYTHON"];
  if (named !== undefined && named !== "") return named;
  const installed = pythonOf(installedFolder(dataFolder));
  if (existsSync(installed)) return installed;
  throw notInstalled();
}

/** Names of variables that hold something secret which is none of the worker's business. */
const secret = /(KEY|SECRET|PASSWORD|CREDENTIALS)$|^(GITHUB|GH|NPM|NODE_AUTH|ANTHROPIC_AUTH)_TOKEN$/iu;

/** The environment of a Python process, without secrets; the worker's sources come first on its path. */
export function pythonVariables(
  environment: Surroundings["environment"],
  more: Readonly<Record<string, string>> = {},
): Record<string, string> {
  const kept = Object.entries(environment).flatMap(([name, value]) =>
    value === undefined || secret.test(name) ? [] : [[name, value] as const],
  );
  const path = [join(workerFolder(), "src"), environment["PYTHONPATH"] ?? ""].filter((part) => part !== "");
  return {
    ...Object.fromEntries(kept),
    PYTHONPATH: path.join(delimiter),
    PYTHONUTF8: "1",
    PYTHONUNBUFFERED: "1",
    ...more,
  };
}
