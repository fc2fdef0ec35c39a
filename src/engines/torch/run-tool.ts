/** Runs a program to its end: its lines are passed on as they come, and the program is ended with all of its children. */
import { spawn } from "node:child_process";
import { messageOf, withDeadline, type CallOptions } from "../../base/index.ts";

export interface ToolRun {
  readonly program: string;
  readonly words: readonly string[];
  readonly environment: Readonly<Record<string, string>>;
  readonly timeoutMs: number;
  readonly onLine: (line: string) => void;
}

export interface ToolResult {
  /** Null where there is no such program, or it was killed. */
  readonly code: number | null;
  /** The end of what it wrote to standard output. */
  readonly output: string;
  /** The end of all that it wrote. */
  readonly log: string;
}

const keptCharacters = 65_536;
const endTimeoutMs = 10_000;

/** @throws `deadline-exceeded`, `aborted` */
export async function runTool(tool: ToolRun, call: CallOptions = {}): Promise<ToolResult> {
  const child = spawn(tool.program, tool.words, {
    env: tool.environment,
    stdio: ["ignore", "pipe", "pipe"],
    detached: process.platform !== "win32",
  });
  let output = "";
  let log = "";
  const keep = (text: string): void => {
    log = (log + text).slice(-keptCharacters);
    for (const line of text.split(/[\r\n]+/u)) if (line.trim() !== "") tool.onLine(line.trimEnd());
  };
  child.stdout.setEncoding("utf8").on("data", (text: string) => {
    output = (output + text).slice(-keptCharacters);
    keep(text);
  });
  child.stderr.setEncoding("utf8").on("data", keep);
  const gone = Promise.withResolvers<number | null>();
  child.on("error", (error) => {
    keep(`${messageOf(error)}\n`);
    if (child.pid === undefined) gone.resolve(null);
  });
  child.on("close", (code) => gone.resolve(code));
  const wait = { boundary: "engine", what: `the end of ${tool.program}`, timeoutMs: tool.timeoutMs } as const;
  const signal = call.signal === undefined ? {} : { signal: call.signal };
  try {
    return { code: await withDeadline({ ...wait, ...signal }, () => gone.promise), output, log };
  } catch (thrown) {
    killGroup(child.pid);
    await withDeadline({ ...wait, timeoutMs: endTimeoutMs }, () => gone.promise).catch(() => null);
    throw thrown;
  }
}

function killGroup(processId: number | undefined): void {
  if (processId === undefined) return;
  try {
    process.kill(process.platform === "win32" ? processId : -processId, "SIGKILL");
  } catch {
    // It has gone by itself.
  }
}
