/**
 * The command line as one commander program: every command, what they share, and how misuse is told.
 * Knows no command from the inside.
 */
import { Command } from "commander";
import { addDoctorCommand } from "./commands/doctor.ts";
import { addEngineCommand } from "./commands/engine.ts";
import { addExportCommand } from "./commands/export.ts";
import { addHelpCommand } from "./commands/help.ts";
import { addListCommand } from "./commands/list.ts";
import { addPlanCommand } from "./commands/plan.ts";
import { addPlayCommand } from "./commands/play.ts";
import { addReplayCommand } from "./commands/replay.ts";
import { addResumeCommand } from "./commands/resume.ts";
import { addRunCommand } from "./commands/run.ts";
import { addSampleCommand } from "./commands/sample.ts";
import type { Shell } from "./shell.ts";

export interface ProgramOptions {
  readonly shell: Shell;
  readonly version: string;
}

const epilogue = `
Start here:
  spar run games           a policy with random weights learns a game by playing itself
  spar run spin            a small model plays against its former self, in minutes
  spar play tic-tac-toe    sit down at a game, against a script or what a run has learned
  spar list                recipes with their presets, engines, runs
  spar doctor              what is installed and what is missing

spar help COMMAND explains a command, spar help exit-codes the exit codes.`;

export function createProgram(options: ProgramOptions): Command {
  const { shell } = options;
  const program = new Command("spar")
    .description("Language models that improve by self-play")
    .version(options.version, "-V, --version", "print the version")
    .helpOption("-h, --help", "explain the command")
    .helpCommand(false)
    .showSuggestionAfterError(true)
    .exitOverride()
    .configureOutput({
      writeOut: (text) => shell.screen.print(text.trimEnd()),
      writeErr: (text) => shell.screen.notice(text.trimEnd()),
      outputError: (text, write) => write(styleUsageError(text, shell)),
      getOutHelpWidth: () => Math.min(shell.screen.maximumWidth, 110),
      getErrHelpWidth: () => 110,
    })
    .addHelpText("after", epilogue);
  addRunCommand(program, shell);
  addResumeCommand(program, shell);
  addPlanCommand(program, shell);
  addListCommand(program, shell);
  addSampleCommand(program, shell);
  addPlayCommand(program, shell);
  addReplayCommand(program, shell);
  addExportCommand(program, shell);
  addEngineCommand(program, shell);
  addDoctorCommand(program, shell);
  addHelpCommand(program, shell);
  return program;
}

/** Commander's own refusals, in the form of ours: each with a hint. */
function styleUsageError(text: string, shell: Shell): string {
  const style = shell.screen.errorStyle;
  const hint = text.includes("(Did you mean") ? "" : `\n${style.faint("hint:")}  ${usageHint(text)}`;
  return `${text.trim()}${hint}`
    .replace(/^error:/u, style.bad("error:"))
    .replace(
      /^\(Did you mean (.*)\?\)$/mu,
      (_all, name: string) => `${style.faint("hint:")}  did you mean ${name}?`,
    );
}

function usageHint(text: string): string {
  return text.includes("unknown option")
    ? "options of a recipe go through --set name=value, and spar plan RECIPE lists them; --help lists the others"
    : "--help explains the command";
}
