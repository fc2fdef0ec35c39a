/**
 * Ctrl-C and SIGTERM at any moment, against the real command: from before it listens to after its last
 * step. It ends by itself with the documented code, and the run goes on to the same end.
 */
import { spawn } from "node:child_process";
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { createRandom, type Random } from "../../src/base/index.ts";
import { contentOf } from "./content.ts";

const root = mkdtempSync(join(tmpdir(), "spar-interrupts-"));
afterAll(() => rmSync(root, { recursive: true, force: true }));

const entry = join(import.meta.dirname, "../../src/cli/main.ts");
const fixture = (name: string): string => join(import.meta.dirname, "../fixtures/cli", name);
const compileCache = join(tmpdir(), "spar-compile-cache");
const start = [
  "run",
  fixture("recipe.ts"),
  "--engine",
  fixture("slow-engine.ts"),
  "--set",
  "updateCount=8",
  "--seed",
  "3",
  "--json",
];

interface Interrupt {
  readonly signal: "SIGINT" | "SIGTERM";
  /** After so many lines of output, and then so much later. */
  readonly lineCount: number;
  readonly afterMs: number;
}

interface End {
  readonly code: number | null;
  readonly signal: string | null;
  readonly errors: string;
}

/** Runs the command, and interrupts it where it is told to. */
function runCommand(words: readonly string[], interrupt: Interrupt | null): Promise<End> {
  const child = spawn(process.execPath, ["--conditions=source", entry, ...words], {
    cwd: root,
    env: { PATH: process.env["PATH"], NODE_COMPILE_CACHE: compileCache },
    stdio: ["ignore", "pipe", "pipe"],
  });
  let [lineCount, errors] = [0, ""];
  let isSent = interrupt === null;
  const act = (): void => {
    if (isSent || interrupt === null || lineCount < interrupt.lineCount) return;
    isSent = true;
    setTimeout(() => child.kill(interrupt.signal), interrupt.afterMs);
  };
  act();
  child.stdout.setEncoding("utf8").on("data", (text: string) => {
    lineCount += text.split("\n").length - 1;
    act();
  });
  child.stderr.setEncoding("utf8").on("data", (text: string) => (errors += text));
  return new Promise((resolve, reject) => {
    child.on("error", reject);
    child.on("close", (code, signal) => resolve({ code, signal, errors }));
  });
}

const drawInterrupt = (random: Random): Interrupt => ({
  signal: random.pick(["SIGINT", "SIGTERM"] as const),
  lineCount: random.integer(4) === 0 ? 0 : random.integer(40),
  afterMs: random.integer(120),
});

let uninterrupted: unknown;
beforeAll(async () => {
  const words = start.map((word) => word.replace("slow-engine", "engine"));
  expect(await runCommand([...words, "--name", "whole"], null)).toMatchObject({ code: 0 });
  uninterrupted = await contentOf(join(root, "runs", "whole"));
}, 240_000);

const codes = { SIGINT: 130, SIGTERM: 143 } as const;

for (const seed of [1, 2, 3]) {
  test(`a run that is interrupted again and again ends as one that was not: seed ${seed}`, async () => {
    const random = createRandom(seed).split("interrupts");
    const name = `interrupted-${seed}`;
    const folder = join(root, "runs", name);
    let stoppedCount = 0;
    for (let round = 0; round < 4 || stoppedCount === 0; round++) {
      const interrupt = drawInterrupt(random);
      const words = existsSync(folder) ? ["resume", name, "--json"] : [...start, "--name", name];
      const { code, signal, errors } = await runCommand(words, interrupt);
      const told = `${JSON.stringify(interrupt)}: ${errors}`;
      // Before it listens the signal itself ends it, after its last step there is nothing to stop.
      if (signal !== null) expect(signal, told).toBe(interrupt.signal);
      else expect([0, codes[interrupt.signal]], told).toContain(code);
      if (code !== codes[interrupt.signal]) continue;
      stoppedCount++;
      expect(errors).toMatch(existsSync(folder) ? /go on with: .*resume/u : /nothing is left behind|^$/u);
    }
    const words = existsSync(folder) ? ["resume", name, "--json"] : [...start, "--name", name];
    expect(await runCommand(words, null)).toMatchObject({ code: 0 });
    expect(await contentOf(folder)).toEqual(uninterrupted);
  }, 120_000);
}
