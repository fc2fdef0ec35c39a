/** `spar doctor`: what is installed, what each engine still needs, with the command that installs it. */
import type { Command } from "commander";
import type { Check } from "../doctor/check.ts";
import { checkEngines } from "../doctor/engines.ts";
import { checkMachine } from "../doctor/machine.ts";
import { checkPackages, readManifest } from "../doctor/packages.ts";
import { checkPython } from "../doctor/python.ts";
import { checkSandboxes } from "../doctor/sandboxes.ts";
import { SparError } from "../../base/index.ts";
import { runsFolderOf } from "../runs-folder.ts";
import type { Shell } from "../shell.ts";
import { shownPaths } from "../shown-path.ts";
import { addCommonOptions } from "./recipe-options.ts";
import { surroundingsOf } from "./engine-options.ts";
import { serverSettings } from "./server-options.ts";
import { formatTable } from "../terminal/table.ts";

interface DoctorOptions {
  readonly json?: boolean;
  readonly runsFolder?: string;
  readonly python?: string;
}

export function addDoctorCommand(program: Command, shell: Shell): void {
  const command = program
    .command("doctor")
    .description("check this machine: Node, cores, memory, disk, engines, sandboxes, optional packages")
    .option("--json", "print one JSON object")
    .option("--runs-folder <folder>", "where runs would go")
    .option(
      "--python <path>",
      "the Python for games of OpenSpiel and TextArena and for the native sandbox; else python3",
    )
    .action(async (options: DoctorOptions) => {
      const checks = await runChecks(shell, options);
      shell.screen.print(
        ...(options.json === true ? [JSON.stringify({ checks })] : textLines(checks, shell)),
      );
      const missing = checks.filter(({ status }) => status === "missing");
      if (missing.length > 0) throw somethingMissing(missing);
    });
  addCommonOptions(command);
}

async function runChecks(shell: Shell, options: DoctorOptions): Promise<Check[]> {
  const runsFolder = runsFolderOf(shell, options.runsFolder);
  const manifest = readManifest(shell.place);
  return [
    ...checkMachine({ nodeVersion: process.versions.node, neededNode: manifest.engines.node, runsFolder }),
    ...(await checkEngines(shell.place, shell.workingFolder, {
      ...serverSettings({}, shell),
      ...surroundingsOf(shell),
    })),
    ...checkPackages(shell.place, manifest),
    ...(await checkSandboxes({ python: options.python, environment: shell.environment })),
    ...(await checkPython({ python: options.python, environment: shell.environment })),
  ];
}

function textLines(checks: readonly Check[], shell: Shell): string[] {
  const rows = checks.map(({ name, status, detail }) => [
    name,
    status,
    shownPaths(detail, shell.workingFolder),
  ]);
  const columns = [{ name: "what" }, { name: "status" }, { name: "found" }];
  const fixes = checks.flatMap(({ name, fix }) => (fix === null ? [] : [[name, fix]]));
  const { style, maximumWidth } = shell.screen;
  return [
    ...formatTable(columns, rows, maximumWidth),
    ...(fixes.length === 0 ? [] : ["", style.heading("What you can do")]),
    ...formatTable([{ name: "what" }, { name: "do" }], fixes, maximumWidth),
  ];
}

function somethingMissing(missing: readonly Check[]): SparError {
  return new SparError({
    code: "requirements-missing",
    boundary: "command",
    message: `spar cannot work here yet: ${missing.map(({ name }) => name).join(", ")}`,
    hint: "follow the list above, then run spar doctor again",
  });
}
