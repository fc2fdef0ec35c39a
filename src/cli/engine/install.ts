/** Installs what an engine needs: says what and how large, asks where somebody types, shows how far it is. */
import { SparError } from "../../base/index.ts";
import type { LocatedEngine } from "../discovery/engines.ts";
import { surroundingsOf } from "../commands/engine-options.ts";
import { freeBytesAt } from "../plan/warn-about-size.ts";
import type { Shell } from "../shell.ts";
import { shownPath } from "../shown-path.ts";
import { formatBytes, formatDuration } from "../terminal/format.ts";
import { oneLine } from "../terminal/text.ts";

export interface InstallCommandOptions {
  readonly python?: string;
  readonly yes?: boolean;
  readonly json?: boolean;
}

/** What unpacking needs beside what stays. */
const spaceFactor = 1.3;

/** @throws `disk-full` where there is too little space, and what the engine throws */
export async function installEngine(
  { id, module }: LocatedEngine,
  options: InstallCommandOptions,
  shell: Shell,
): Promise<void> {
  const { screen, clock, workingFolder } = shell;
  const surroundings = surroundingsOf(shell);
  const plan = module.planInstallation?.(surroundings);
  if (plan === undefined || module.install === undefined) return;
  const folder = shownPath(plan.folder, workingFolder);
  if (!plan.isInstalled) {
    screen.notice(`this installs ${plan.what}, about ${formatBytes(plan.bytes)}, into ${folder}`);
    requireSpace(surroundings.dataFolder, plan.bytes * spaceFactor);
    if (!(await agrees(options, shell))) return screen.notice("nothing was installed");
  }
  const interrupts = shell.listenForInterrupts(() => ["", "stopping: nothing will be left behind"]);
  const startedMs = clock.monotonicMs();
  let lastSaidMs = startedMs;
  const onProgress = (text: string): void => {
    const elapsedMs = clock.monotonicMs() - startedMs;
    screen.live(`[${formatDuration(elapsedMs)}] ${oneLine(text).slice(0, longestLine)}`);
    if (screen.isTerminal || clock.monotonicMs() - lastSaidMs < sayEveryMs) return;
    lastSaidMs = clock.monotonicMs();
    screen.notice(`[${formatDuration(elapsedMs)}] ${oneLine(text).slice(0, longestLine)}`);
  };
  try {
    const python = options.python === undefined ? {} : { python: options.python };
    const { signal } = interrupts;
    const installed = await module.install({ ...surroundings, ...python, onProgress }, { signal });
    screen.live(null);
    if (options.json === true) {
      const { packages } = installed;
      screen.print(
        JSON.stringify({ engine: id, folder: installed.folder, wasThere: plan.isInstalled, packages }),
      );
      return;
    }
    const packages = Object.entries(installed.packages).map(([name, version]) => `${name} ${version}`);
    const done = plan.isInstalled
      ? "is installed already"
      : `is installed, in ${formatDuration(clock.monotonicMs() - startedMs)}`;
    screen.print(`engine ${id} ${done}: ${packages.join(", ")}; in ${folder}`);
  } finally {
    screen.live(null);
    interrupts.stopListening();
  }
}

const sayEveryMs = 10_000;
const longestLine = 120;

async function agrees({ yes }: InstallCommandOptions, shell: Shell): Promise<boolean> {
  if (yes === true || !shell.input.isTerminal) return true;
  shell.screen.notice("go on? [Y/n]");
  for await (const line of shell.input.lines()) return /^\s*(y(es)?)?\s*$/iu.test(line);
  return false;
}

function requireSpace(folder: string, neededBytes: number): void {
  const freeBytes = freeBytesAt(folder);
  if (freeBytes >= neededBytes) return;
  throw new SparError({
    code: "disk-full",
    boundary: "command",
    message: `expected ${formatBytes(neededBytes)} of free space at ${folder}, found ${formatBytes(freeBytes)}`,
    hint: "free some space, or put spar's data elsewhere with SPAR_DATA",
  });
}
