/** What commands that start an engine tell it: options of its own, threads, a server, and what this machine is like. */
import type { Command } from "commander";
import { Option } from "commander";
import { SparError, type JsonObject } from "../../base/index.ts";
import { dataFolderOf } from "../data-folder.ts";
import type { EngineSettings, EngineSurroundings, LocatedEngine } from "../discovery/engines.ts";
import { parseSetOptions } from "../options/set-option.ts";
import type { Shell } from "../shell.ts";
import { collect } from "./recipe-options.ts";
import { addServerOptions, serverSettings, type ServerOptions } from "./server-options.ts";

export interface EngineOptions extends ServerOptions {
  readonly threads?: number;
  readonly engineSet: readonly string[];
}

export function addEngineOptions(command: Command): Command {
  return addEngineSet(addServerOptions(command));
}

/** Options of the engine itself. */
export function addEngineSet(command: Command): Command {
  const option = new Option(
    "--engine-set <key=value>",
    "change an option of the engine, may be repeated: spar engine list shows them",
  );
  return command.addOption(option.argParser(collect).default([], "none"));
}

export function surroundingsOf(shell: Pick<Shell, "environment" | "workingFolder">): EngineSurroundings {
  return { environment: shell.environment, dataFolder: dataFolderOf(shell) };
}

/**
 * The settings of an engine. `remembered` are the options that a run was begun with; what is typed goes before them.
 *
 * @throws `unknown-option`, `invalid-option`, `file-missing` for a key file
 */
export function engineSettings(
  engine: LocatedEngine,
  options: Partial<EngineOptions>,
  shell: Shell,
  remembered: JsonObject = {},
): EngineSettings {
  const own = { ...remembered, ...ownOptions(engine, options.engineSet ?? []) };
  return {
    ...(options.threads === undefined ? {} : { threadCount: options.threads }),
    ...serverSettings(options, shell),
    ...surroundingsOf(shell),
    ...(Object.keys(own).length === 0 ? {} : { options: own }),
  };
}

/** What `--engine-set` says. @throws `unknown-option`, `invalid-option` */
export function ownOptions({ id, module }: LocatedEngine, typed: readonly string[]): JsonObject {
  if (typed.length === 0) return {};
  if (module.options !== undefined)
    return parseSetOptions(typed, module.options, { flag: "--engine-set", owner: `engine ${id}` });
  throw new SparError({
    code: "unknown-option",
    boundary: "command",
    message: `engine ${id} has no options of its own, got --engine-set ${typed[0] ?? ""}`,
    hint: "options of the recipe are set with --set",
  });
}
