/** `spar engine`: installs what an engine needs, and starts, lists and stops servers that outlive a run. */
import { Option, type Command } from "commander";
import { SparError } from "../../base/index.ts";
import type { EngineWork } from "../discovery/engine-work.ts";
import { findEngine, listEngines, type LocatedEngine } from "../discovery/engines.ts";
import {
  listEngineServers,
  startEngineServer,
  stopEngineServer,
  type OutputOptions,
} from "../engine/servers.ts";
import { installEngine, type InstallCommandOptions } from "../engine/install.ts";
import type { Shell } from "../shell.ts";
import { addEngineSet, ownOptions } from "./engine-options.ts";
import { addCommonOptions, collect } from "./recipe-options.ts";
import { addThreadOption } from "./thread-option.ts";

interface StartOptions {
  readonly name?: string;
  readonly model: readonly string[];
  readonly threads?: number;
  readonly engineSet: readonly string[];
  readonly json?: boolean;
}

export function addEngineCommand(program: Command, shell: Shell): void {
  const group = program
    .command("engine")
    .description("install what an engine needs; start, list and stop servers that outlive a run")
    .helpCommand(false);
  const install = group
    .command("install <id>")
    .description("install what an engine needs, after saying what and how large it is")
    .option("--python <path>", "the Python to make an environment of; else the newest that will do")
    .option("--yes", "do not ask")
    .option("--json", "print one JSON object")
    .action(async (id: string, options: InstallCommandOptions) =>
      installEngine(await locate(id, shell, "install"), options, shell),
    );
  const start = addEngineSet(addThreadOption(group.command("start <id>")))
    .description("start a server that outlives a run")
    .option("--name <name>", "what it is called; else the engine's name with a number")
    .addOption(
      new Option("--model <name=folder>", "a base model by the name that clients use; may be repeated")
        .argParser(collect)
        .default([], "none"),
    )
    .option("--json", "print one JSON object")
    .action(async (id: string, options: StartOptions) => {
      const engine = await locate(id, shell, "startServer");
      await startEngineServer(engine, { ...options, own: ownOptions(engine, options.engineSet) }, shell);
    });
  const stop = group
    .command("stop <name>")
    .description("stop a server that spar engine start began")
    .option("--json", "print one JSON object")
    .action((name: string, options: OutputOptions) => stopEngineServer(name, options, shell));
  const list = group
    .command("list")
    .description("show servers that spar engine start began, and the options of engines")
    .option("--json", "print one JSON object")
    .action((options: OutputOptions) => listEngineServers(options, shell));
  for (const command of [install, start, stop, list]) addCommonOptions(command);
}

/** @throws `engine-unavailable` where the engine has no such work */
async function locate(id: string, shell: Shell, work: keyof EngineWork): Promise<LocatedEngine> {
  const { place, workingFolder } = shell;
  const located = await findEngine({ typed: id, place, workingFolder });
  if (located.module[work] !== undefined) return located;
  const able = (await listEngines(place)).flatMap((listed) =>
    listed.kind === "loaded" && listed.located.module[work] !== undefined ? [listed.id] : [],
  );
  throw new SparError({
    code: "unknown-engine",
    boundary: "command",
    message:
      work === "install"
        ? `engine ${id} has nothing to install with this command`
        : `engine ${id} has no server of its own`,
    hint: `engines that have: ${able.join(", ")}`,
  });
}
