/**
 * One `spar` command: makes the shell from the process, runs what was asked for, ends with an exit code.
 * Run for its effects, as only `main.ts` is beside it.
 */
import { createInterface } from "node:readline";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { CommanderError } from "commander";
import { isSparError, SparError, systemClock } from "../base/index.ts";
import { findPackageFolder } from "./discovery/package-folder.ts";
import { exitCodes } from "./exit-codes.ts";
import { describeFailure, reportFailure } from "./failure.ts";
import { listenForInterrupts, signalOf, type InterruptName, type Interrupts } from "./interrupts.ts";
import { interruptNotice } from "./interrupt-notice.ts";
import { createProgram } from "./program.ts";
import type { Shell } from "./shell.ts";
import { createScreen } from "./terminal/screen.ts";

/** How long a run may take to stop after the first interrupt before the process ends all the same. */
const stopGraceMs = 60_000;

let interrupts: Interrupts | null = null;
let outputFailure: Extract<InterruptName, "closedPipe" | "storage"> | null = null;
const lastWords: string[] = [];
const shell = createShell();
watchStandardOutput();
process.on("uncaughtException", (thrown) => {
  // A recipe may leave promises behind that a stop cancels: that is the stop, which has its own end. So do calls of an
  // engine that was lost: the run goes on with another, or says itself that it cannot.
  if (!isOfInterrupt(thrown) && !isOfLoss(thrown)) exit(codeOfFailure(thrown));
});
// A command may wait for a thread that does not count as work; the process must not end under it.
const keptAlive = setInterval(() => undefined, 60_000);
const commandCode = await runCommand();
clearInterval(keptAlive);
shell.screen.live(null);
shell.screen.notice(...lastWords);
await flushOutput();
exit(codeWithOutput(commandCode));

function createShell(): Shell {
  const { stdin, stdout, stderr, env } = process;
  const screen = createScreen({ output: stdout, errors: stderr, environment: env });
  return {
    screen,
    clock: systemClock,
    environment: env,
    workingFolder: process.cwd(),
    place: findPackageFolder(import.meta.url),
    input: {
      isTerminal: stdin.isTTY,
      lines: () => createInterface({ input: stdin }),
    },
    sayLast: (...lines) => void lastWords.push(...lines),
    listenForInterrupts: (notice = interruptNotice) => {
      interrupts = listenForInterrupts({
        source: process,
        clock: systemClock,
        endAtOnce,
        onFirst: (name) => screen.notice(...notice(name)),
        graceMs: stopGraceMs,
      });
      return interrupts;
    },
  };
}

async function runCommand(): Promise<number> {
  try {
    const program = createProgram({ shell, version: readVersion() });
    if (process.argv.length <= 2) program.outputHelp();
    else await program.parseAsync(process.argv);
    const interrupt = interrupts?.first ?? null;
    return interrupt === null ? exitCodes.ok.code : exitCodes[interrupt].code;
  } catch (thrown) {
    if (thrown instanceof CommanderError)
      return thrown.exitCode === 0 ? exitCodes.ok.code : exitCodes.usage.code;
    return codeOfFailure(thrown);
  }
}

/** What a person or a closed pipe asked for is no failure to tell about; everything else is. */
function codeOfFailure(thrown: unknown): number {
  const interrupt = interrupts?.first ?? null;
  if (interrupt !== null && isOfInterrupt(thrown)) return exitCodes[interrupt].code;
  const isVerbose = process.argv.includes("--verbose") || (process.env["SPAR_DEBUG"] ?? "") !== "";
  tellFailure(thrown, isVerbose);
  return exitCodes[describeFailure(thrown).exit].code;
}

function isOfInterrupt(thrown: unknown): boolean {
  return (interrupts?.first ?? null) !== null && isSparError(thrown) && thrown.code === "aborted";
}

function isOfLoss(thrown: unknown): boolean {
  return isSparError(thrown) && thrown.code === "engine-lost";
}

/** A closed pipe ends quietly; output that cannot be written any more is told about, once. */
function watchStandardOutput(): void {
  process.stderr.on("error", () => undefined);
  process.stdout.on("error", (error: NodeJS.ErrnoException) => {
    const isFirst = outputFailure === null;
    outputFailure = error.code === "EPIPE" ? "closedPipe" : "storage";
    if (isFirst && outputFailure === "storage") reportOutputFailure(error);
    if (interrupts === null) exit(exitCodes[outputFailure].code);
    else interrupts.raise(outputFailure);
  });
}

function reportOutputFailure(cause: Error): void {
  const error = new SparError({
    code: "disk-full",
    boundary: "command",
    message: `standard output cannot be written: ${cause.message}`,
    hint: "free some space, or send the output elsewhere",
  });
  tellFailure(error, false);
}

function tellFailure(thrown: unknown, isVerbose: boolean): void {
  const { screen, workingFolder } = shell;
  screen.notice(...reportFailure(thrown, { style: screen.errorStyle, isVerbose, workingFolder }));
}

/** Waits until what was printed has left, so that a failure of the last line is still noticed. */
async function flushOutput(): Promise<void> {
  await new Promise<void>((resolve) => process.stdout.write("", () => resolve()));
}

/** What was done is not done where nobody could be told. */
function codeWithOutput(code: number): number {
  return code === exitCodes.ok.code && outputFailure !== null ? exitCodes[outputFailure].code : code;
}

function readVersion(): string {
  const manifest: unknown = JSON.parse(readFileSync(join(shell.place.root, "package.json"), "utf8"));
  return typeof manifest === "object" && manifest !== null && "version" in manifest
    ? String(manifest.version)
    : "";
}

/**
 * Ends without waiting for anything. `process.exit` waits for every thread of an engine to stop; the
 * signal itself, given back its own meaning, does not, and shells report it as the same exit code.
 */
function endAtOnce(name: InterruptName): void {
  const signal = signalOf(name);
  if (signal !== null) {
    shell.screen.live(null);
    process.removeAllListeners(signal);
    process.kill(process.pid, signal);
  }
  exit(exitCodes[name].code);
}

/** Ends at once: threads of an engine and open sockets must not keep the process alive. */
function exit(code: number): void {
  shell.screen.live(null);
  process.exit(code);
}
