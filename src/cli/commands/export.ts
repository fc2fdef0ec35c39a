/** `spar export RUN`: weights and tokenizer in the hub's formats, or the records as JSONL. */
import { join, resolve } from "node:path";
import { Option, type Command } from "commander";
import { SparError } from "../../base/index.ts";
import type { RunReader } from "../../store/index.ts";
import { findEngine, startEngine } from "../discovery/engines.ts";
import { openRun } from "../discovery/open-run.ts";
import { fillNewFolder } from "../export/new-folder.ts";
import { writeRecords } from "../export/records.ts";
import { loadModel } from "../sample/load-weights.ts";
import { choosePolicy } from "../sample/choose-policy.ts";
import { keptPolicies } from "../sample/kept-policies.ts";
import type { Shell } from "../shell.ts";
import { shownPath } from "../shown-path.ts";
import { countOf } from "../terminal/format.ts";
import { formatTable } from "../terminal/table.ts";
import { engineSettings } from "./engine-options.ts";
import { addCommonOptions } from "./recipe-options.ts";

interface ExportOptions {
  readonly what: "model" | "records";
  readonly to?: string;
  readonly policy?: string;
  readonly engine?: string;
  readonly runsFolder?: string;
}

export function addExportCommand(program: Command, shell: Shell): void {
  const command = program
    .command("export <run>")
    .description("write the trained model in the hub's formats, or the records of the run as JSONL")
    .addOption(new Option("--what <kind>", "what to write").choices(["model", "records"]).default("model"))
    .option(
      "--to <folder>",
      "a folder that does not exist yet; else one below exports in the folder of the run",
    )
    .option("--policy <name>", "which model of the run; else the one that it made first")
    .option("-e, --engine <id>", "what reads the weights; else the engine of the run")
    .option("--runs-folder <folder>", "where runs are kept; else SPAR_RUNS, else ./runs")
    .action((run: string, options: ExportOptions) => exportRun(run, options, shell));
  addCommonOptions(command);
}

async function exportRun(typed: string, options: ExportOptions, shell: Shell): Promise<void> {
  const { workingFolder } = shell;
  if (options.what === "records") refuseModelOptions(options);
  using reader = openRun(typed, options.runsFolder, shell);
  // Below the run, where neither version control nor formatters look.
  const targetOf = (name: string): string =>
    options.to === undefined
      ? join(reader.paths.folder, "exports", name)
      : resolve(workingFolder, options.to);
  if (options.what === "records") await exportRecords(reader, targetOf("records"), shell);
  else await exportModel({ reader, targetOf, options, shell });
}

/** Records are those of the whole run and need no engine. @throws `options-contradict` */
function refuseModelOptions({ policy, engine }: ExportOptions): void {
  const given = [
    ...(policy === undefined ? [] : ["--policy"]),
    ...(engine === undefined ? [] : ["--engine"]),
  ];
  if (given.length === 0) return;
  throw new SparError({
    code: "options-contradict",
    boundary: "command",
    message: `expected no ${given.join(" and ")} beside --what records: records are those of the whole run`,
    hint: `leave ${given.join(" and ")} out, or export the model`,
  });
}

async function exportRecords(reader: RunReader, target: string, shell: Shell): Promise<void> {
  const counts = await fillNewFolder(target, async (temporary) => writeRecords(reader, temporary));
  const rows = Object.entries(counts).map(([file, count]) => [file, count]);
  shell.screen.print(
    shownPath(target, shell.workingFolder),
    ...formatTable([{ name: "file" }, { name: "lines" }], rows),
  );
}

async function exportModel(request: {
  readonly reader: RunReader;
  /** The folder for an export of this name. */
  readonly targetOf: (name: string) => string;
  readonly options: ExportOptions;
  readonly shell: Shell;
}): Promise<void> {
  const { reader, targetOf, options, shell } = request;
  const { place, workingFolder } = shell;
  const policy = choosePolicy(keptPolicies(reader), options.policy);
  const weights = policy.weights.at(-1) ?? policy.weights[0];
  const target = targetOf(`${policy.name}-${weights.label.replaceAll(" ", "-")}`);
  const located = await findEngine({
    typed: options.engine ?? reader.manifest.engine.name,
    place,
    workingFolder,
  });
  const interrupts = shell.listenForInterrupts();
  const engine = await startEngine(
    located,
    engineSettings(located, {}, shell, reader.manifest.engine.options),
  );
  try {
    const { signal } = interrupts;
    const model = await loadModel({ engine, reader, weights, signal });
    await fillNewFolder(target, (temporary) => model.export(temporary, { signal }));
    const size = countOf(model.parameterCount, "parameter");
    shell.screen.print(`${shownPath(target, workingFolder)}: ${policy.name}, ${weights.label}, ${size}`);
  } finally {
    interrupts.stopListening();
    await engine.close();
  }
}
