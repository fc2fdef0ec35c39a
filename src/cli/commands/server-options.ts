/**
 * Where a server is and its key, for engines that speak to one; `run`, `resume` and `sample` share it. A key comes from
 * the environment or a file, never from the command line, where everybody on the machine could read it.
 */
import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import type { Command } from "commander";
import { SparError } from "../../base/index.ts";
import type { EngineSettings } from "../discovery/engines.ts";
import type { Shell } from "../shell.ts";

export interface ServerOptions {
  readonly url?: string;
  readonly keyFile?: string;
}

export function addServerOptions(command: Command): Command {
  return command
    .option("--url <address>", "the server of engine tinker; else SPAR_TINKER_URL")
    .option("--key-file <path>", "a file that holds the server's key alone; else SPAR_TINKER_KEY is the key");
}

/** @throws `file-missing` for a key file that cannot be read */
export function serverSettings(
  options: ServerOptions,
  shell: Pick<Shell, "environment" | "workingFolder">,
): Pick<EngineSettings, "url" | "key"> {
  const url = options.url ?? shell.environment["SPAR_TINKER_URL"];
  const key =
    options.keyFile === undefined
      ? shell.environment["SPAR_TINKER_KEY"]
      : readKey(resolve(shell.workingFolder, options.keyFile));
  return {
    ...(url === undefined || url === "" ? {} : { url }),
    ...(key === undefined || key === "" ? {} : { key }),
  };
}

function readKey(file: string): string {
  try {
    return readFileSync(file, "utf8").trim();
  } catch (cause) {
    throw new SparError({
      code: "file-missing",
      boundary: "command",
      message: `expected a file with the server's key, ${file} cannot be read`,
      hint: "give --key-file another path, or set SPAR_TINKER_KEY",
      cause,
    });
  }
}
