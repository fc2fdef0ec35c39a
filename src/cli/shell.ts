/**
 * What a command may touch of the world outside: the screen, the clock, the environment, the working
 * folder, standard input. Made once by `command.ts`; tests make their own.
 */
import type { Clock } from "../base/index.ts";
import type { PackageFolder } from "./discovery/package-folder.ts";
import type { InterruptName, Interrupts } from "./interrupts.ts";
import type { Screen } from "./terminal/screen.ts";

export interface Shell {
  readonly screen: Screen;
  readonly clock: Clock;
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly workingFolder: string;
  readonly place: PackageFolder;
  readonly input: StandardInput;
  /** What is said last, after an error where there is one: how to go on. */
  sayLast(...lines: readonly string[]): void;
  /** Takes over ctrl-C and signals, for commands that have something to finish; may say so in words of its own. */
  listenForInterrupts(notice?: (name: InterruptName) => readonly string[]): Interrupts;
}

export interface StandardInput {
  /** Whether somebody types. */
  readonly isTerminal: boolean;
  /** Lines as they come, until the end. */
  lines(): AsyncIterable<string>;
}
