/** `spar help [topic]`: a command, or a topic of its own such as the exit codes. */
import type { Command } from "commander";
import { SparError, suggestName } from "../../base/index.ts";
import { exitCodes } from "../exit-codes.ts";
import type { Shell } from "../shell.ts";
import { formatTable } from "../terminal/table.ts";

export function addHelpCommand(program: Command, shell: Shell): void {
  program
    .command("help [topic]")
    .description("explain a command, or: exit-codes")
    .action((topic: string | undefined) => {
      if (topic === undefined) program.outputHelp();
      else if (topic === "exit-codes") shell.screen.print(...exitCodeLines());
      else findCommand(program, topic).outputHelp();
    });
}

function findCommand(program: Command, topic: string): Command {
  const command = program.commands.find((one) => one.name() === topic);
  if (command !== undefined) return command;
  throw new SparError({
    code: "unknown-command",
    boundary: "command",
    message: `no command or topic is called "${topic}"`,
    hint: suggestName(topic, [...program.commands.map((one) => one.name()), "exit-codes"]),
  });
}

function exitCodeLines(): string[] {
  const rows = Object.values(exitCodes).map(({ code, name, meaning }) => [code, name, meaning]);
  return formatTable([{ name: "code" }, { name: "name" }, { name: "meaning" }], rows);
}
