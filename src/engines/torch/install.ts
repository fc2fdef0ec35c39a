/**
 * Makes the Python environment of the worker: a new folder is filled, tried, and takes its place by renaming, so that
 * what is there is whole. Uses uv where there is one, which is ten times as fast, else venv and pip.
 */
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { z } from "zod";
import { sha256, type CallOptions } from "../../base/index.ts";
import { engineError } from "../../contract/index.ts";
import { lastLines } from "./errors.ts";
import { runTool, type ToolResult } from "./run-tool.ts";
import {
  installedFolder,
  pythonOf,
  pythonVariables,
  torchFolder,
  workerFolder,
  type Surroundings,
} from "./python.ts";
import { isAlive } from "./working-folder.ts";

/** What would be installed, for whoever asks before it is. */
export interface InstallationPlan {
  readonly folder: string;
  /** What is installed, in words. */
  readonly what: string;
  /** About, on the disk. */
  readonly bytes: number;
  /** Whether that is there already, whole and of this version. */
  readonly isInstalled: boolean;
}

export interface InstallOptions extends Surroundings {
  /** The Python that the environment is made of; left out, uv's choice or `python3`. */
  readonly python?: string;
  readonly onProgress: (text: string) => void;
}

export interface Installation {
  readonly folder: string;
  readonly python: string;
  /** Versions of the packages that matter. */
  readonly packages: Readonly<Record<string, string>>;
  readonly tool: "uv" | "pip";
}

/** Measured on Linux: PyTorch's wheel and the CUDA libraries that it needs even without a GPU. */
const sizeBytes = 6_000_000_000;
const timeoutMs = 3_600_000;
const probeTimeoutMs = 300_000;
const noteName = "spar-installation.json";

const note = z.object({
  requirements: z.string(),
  packages: z.record(z.string(), z.string()),
  tool: z.enum(["uv", "pip"]),
});

const probe = `
import json, aiohttp, peft, torch, transformers
print(json.dumps({m.__name__: m.__version__ for m in (torch, transformers, peft, aiohttp)}))`;

export function planInstallation({ dataFolder }: Surroundings): InstallationPlan {
  const folder = installedFolder(dataFolder);
  return {
    folder,
    what: "a Python environment with PyTorch, transformers and PEFT",
    bytes: sizeBytes,
    isInstalled: readNote(folder)?.requirements === requirementsDigest(),
  };
}

/**
 * Installs, or gives what is there.
 *
 * @throws `package-missing` without a Python that will do, `engine-failed` with the last lines of what went wrong,
 * `deadline-exceeded`, `aborted`; nothing is left then
 */
export async function install(options: InstallOptions, call: CallOptions = {}): Promise<Installation> {
  const { dataFolder, onProgress } = options;
  const plan = planInstallation(options);
  const found = plan.isInstalled ? readNote(plan.folder) : null;
  if (found !== null) return installationOf(plan.folder, found);
  mkdirSync(torchFolder(dataFolder), { recursive: true });
  removeLeftOvers(torchFolder(dataFolder));
  const part = mkdtempSync(join(torchFolder(dataFolder), `part-${process.pid}-`));
  try {
    const tool = (await hasUv(options)) ? "uv" : "pip";
    onProgress(`installing with ${tool} into ${plan.folder}`);
    await (tool === "uv" ? fillWithUv(part, options, call) : fillWithPip(part, options, call));
    onProgress("trying what was installed");
    const said = await run(options, call, pythonOf(part), ["-c", probe], probeTimeoutMs);
    const packages = note.shape.packages.parse(JSON.parse(said.output.trim().split("\n").at(-1) ?? ""));
    const made = { requirements: requirementsDigest(), packages, tool } as const;
    writeFileSync(join(part, noteName), `${JSON.stringify(made, null, 2)}\n`);
    takePlace(part, plan.folder);
    return installationOf(plan.folder, made);
  } catch (thrown) {
    rmSync(part, { recursive: true, force: true });
    throw thrown;
  }
}

async function fillWithUv(part: string, options: InstallOptions, call: CallOptions): Promise<void> {
  const base = options.python ?? ">=3.11";
  await run(options, call, "uv", ["venv", "--relocatable", "--allow-existing", "--python", base, part]);
  const install = ["pip", "install", "--compile-bytecode", "--python", pythonOf(part), workerFolder()];
  await run(options, call, "uv", install);
}

async function fillWithPip(part: string, options: InstallOptions, call: CallOptions): Promise<void> {
  const base = options.python ?? (process.platform === "win32" ? "python" : "python3");
  await checkVersion(base, options, call);
  await run(options, call, base, ["-m", "venv", part]);
  const quiet = ["--disable-pip-version-check", "--no-input", "--progress-bar", "off"];
  await run(options, call, pythonOf(part), ["-m", "pip", "install", ...quiet, workerFolder()]);
}

async function hasUv(options: InstallOptions): Promise<boolean> {
  const { code } = await tell({ ...options, onProgress: () => undefined }, {}, "uv", ["--version"]);
  return code === 0;
}

/** @throws `package-missing` */
async function checkVersion(base: string, options: InstallOptions, call: CallOptions): Promise<void> {
  const words = ["-c", "import sys, venv; sys.exit(0 if sys.version_info >= (3, 11) else 3)"];
  const { code, log } = await tell(options, call, base, words, probeTimeoutMs);
  if (code === 0) return;
  const came = code === 3 ? "an older one" : `none that has venv\n${lastLines(log)}`;
  throw engineError("package-missing", `expected Python 3.11 or later at ${base}, found ${came}`, {
    hint: "install uv (https://docs.astral.sh/uv), which brings a Python, or name one: spar engine install torch --python PATH",
  });
}

/** @throws `engine-failed` where it does not end with 0 */
async function run(
  options: InstallOptions,
  call: CallOptions,
  program: string,
  words: readonly string[],
  limitMs?: number,
): Promise<ToolResult> {
  const result = await tell(options, call, program, words, limitMs);
  if (result.code === 0) return result;
  throw engineError(
    "engine-failed",
    `${program} ${words[0] ?? ""} ended with code ${result.code}; its last lines:\n${lastLines(result.log)}`,
    { hint: "nothing was left behind: mend what is said above, then try again" },
  );
}

function tell(
  { environment, onProgress }: InstallOptions,
  call: CallOptions,
  program: string,
  words: readonly string[],
  limitMs: number = timeoutMs,
): Promise<ToolResult> {
  return runTool(
    { program, words, environment: pythonVariables(environment), timeoutMs: limitMs, onLine: onProgress },
    call,
  );
}

/** What is there was an older one: it makes room, and is removed when the new one is in its place. */
function takePlace(part: string, folder: string): void {
  const old = `${part}-old`;
  if (existsSync(folder)) renameSync(folder, old);
  renameSync(part, folder);
  rmSync(old, { recursive: true, force: true });
}

/** Of installations whose process was killed. */
function removeLeftOvers(parent: string): void {
  for (const name of readdirSync(parent)) {
    const [, owner] = /^part-(\d+)-/u.exec(name) ?? [];
    if (owner !== undefined && !isAlive(Number(owner)))
      rmSync(join(parent, name), { recursive: true, force: true });
  }
}

function installationOf(folder: string, { packages, tool }: z.output<typeof note>): Installation {
  return { folder, python: pythonOf(folder), packages, tool };
}

/** Which packages the worker of this version wants. */
function requirementsDigest(): string {
  const text = readFileSync(join(workerFolder(), "pyproject.toml"), "utf8");
  return sha256(/^dependencies = \[[^\]]*\]/mu.exec(text)?.[0] ?? text);
}

function readNote(folder: string): z.output<typeof note> | null {
  const file = join(folder, noteName);
  if (!existsSync(file)) return null;
  try {
    return note.safeParse(JSON.parse(readFileSync(file, "utf8"))).data ?? null;
  } catch {
    return null;
  }
}
