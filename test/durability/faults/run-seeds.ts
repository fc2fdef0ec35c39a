/**
 * Runs seeds in a process of their own, which must end by itself when it is done: one that a timer, a
 * socket or a thread keeps alive is a problem like any other.
 */
import { spawn } from "node:child_process";
import { join } from "node:path";
import { createInterface } from "node:readline";
import type { FaultyEngineName } from "./engines-under-fault.ts";

export interface SeedsReport {
  readonly seedCount: number;
  /** What did not hold, with the command that shows it again. */
  readonly problems: readonly string[];
  /** Runs whose end was compared with that of a run without faults. */
  readonly comparedCount: number;
  /** How often runs ended in each way: `finished`, codes of errors. */
  readonly ends: Readonly<Record<string, number>>;
  /** How often each kind of fault struck. */
  readonly struck: Readonly<Record<string, number>>;
}

interface Line {
  readonly seed?: number;
  readonly problem?: string;
  readonly ends?: readonly string[];
  readonly struck?: readonly { readonly at: string }[];
  readonly isCompared?: boolean;
  readonly isDone?: boolean;
}

const program = join(import.meta.dirname, "../../fixtures/durability/run-faults.ts");
/** From its last line to its end. */
const endTimeoutMs = 60_000;

export interface SeedsToRun {
  readonly first: number;
  readonly last: number;
  readonly engine: FaultyEngineName;
  readonly onSeed?: (seed: number) => void;
}

export async function runSeeds({ first, last, engine, onSeed }: SeedsToRun): Promise<SeedsReport> {
  const flags = ["--conditions=source", program, String(first), String(last), engine];
  const child = spawn(process.execPath, flags, { stdio: ["ignore", "pipe", "pipe"] });
  let errors = "";
  child.stderr.setEncoding("utf8").on("data", (text: string) => (errors += text));
  const exited = new Promise<number | null>((resolve) => child.on("close", resolve));
  const problems: string[] = [];
  const ends: Record<string, number> = {};
  const struck: Record<string, number> = {};
  let [seedCount, comparedCount, isDone] = [0, 0, false];
  for await (const text of createInterface({ input: child.stdout })) {
    const line = JSON.parse(text) as Line;
    const { seed } = line;
    if (line.problem !== undefined)
      problems.push(`${line.problem}\n  again: ${commandOf(seed ?? first, engine)}`);
    for (const end of line.ends ?? []) ends[end] = (ends[end] ?? 0) + 1;
    for (const { at } of line.struck ?? []) struck[at] = (struck[at] ?? 0) + 1;
    if (line.isCompared === true) comparedCount++;
    isDone = line.isDone === true;
    if (seed !== undefined) seedCount++;
    if (seed !== undefined) onSeed?.(seed);
    if (isDone) break;
  }
  const timer = setTimeout(() => child.kill("SIGKILL"), endTimeoutMs);
  const code = await exited;
  clearTimeout(timer);
  if (!isDone || code !== 0)
    problems.push(`the process of seeds ${first} to ${last} did not end by itself: code ${code} ${errors}`);
  return { seedCount, comparedCount, problems, ends, struck };
}

function commandOf(seed: number, engine: FaultyEngineName): string {
  return `npm run test:long -- faults --engine ${engine} --seeds ${seed}-${seed}`;
}
