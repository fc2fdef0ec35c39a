/** `--threads`, which `run` and `resume` share. */
import { availableParallelism } from "node:os";
import type { Command } from "commander";
import { wholeNumber } from "./number-argument.ts";

/** More threads than this per core only wait for each other, and take minutes to start and to end. */
const threadsPerCore = 4;

export function addThreadOption(command: Command): Command {
  return command.option(
    "--threads <count>",
    "threads of arithmetic; results do not depend on it",
    wholeNumber({ minimum: 1, maximum: threadsPerCore * availableParallelism() }),
  );
}
