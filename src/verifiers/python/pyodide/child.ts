/**
 * A program of its own: the process in which programs run. Requests come as lines of JSON on its standard input, answers go out
 * as lines, one at a time. It holds no secrets and may do nothing but read Python's files; started by `backend.ts`.
 * Arguments: the folder of Pyodide, the images by hash seed.
 */
import { readSync, writeSync } from "node:fs";
import { Worker } from "node:worker_threads";
import { Ended, processorMs } from "./gate.ts";
import { readImage, type Image } from "./image.ts";
import { Interpreter, surroundingsOf } from "./interpreter.ts";
import { loadParts } from "./module.ts";

interface Line {
  readonly program: string;
  readonly hashSeed: number;
  readonly seed: number;
  readonly startSeconds: number;
  readonly timeMs: number;
  readonly memoryBytes: number;
  readonly outputBytes: number;
}

const [pyodideFolder = "", ...paths] = process.argv.slice(2);
const extension = import.meta.url.endsWith(".ts") ? "ts" : "js";
new Worker(new URL(`./watchdog.${extension}`, import.meta.url)).unref();

const images = new Map<number, Image>();
const parts = await loadParts(pyodideFolder);
const interpreter = await Interpreter.start(parts, imageOf(1));
let imageInUse = 1;
/** Warm programs leave garbage that no check can see; so often it goes altogether. */
const mostWarmRuns = 2000;
let warmRuns = 0;
/** An import that the allow-list has not: nobody has to look closer. A matter of speed. */
const isSurelyUnfit =
  /^[^\S\n]*(?:import|from)[^\S\n]+(?!(?:bisect|collections|functools|heapq|itertools|math|string)\b)/mu;
/** To wait at. */
const cell = new Int32Array(new SharedArrayBuffer(4));

say({ kind: "ready", processorMs: processorMs() });
for (const line of lines()) say(await answer(line));
// Whoever started it has gone; Emscripten leaves something that would keep it waiting.
process.exit(0);

function imageOf(hashSeed: number): Image {
  const path = paths[hashSeed - 1] ?? "";
  const image = images.get(hashSeed) ?? readImage(path);
  if (image === null) throw new Error(`expected an image of Python at ${path}`);
  images.set(hashSeed, image);
  return image;
}

async function answer(text: string): Promise<object> {
  const request = JSON.parse(text) as Line;
  if (request.hashSeed !== imageInUse) {
    await interpreter.restore(imageOf(request.hashSeed));
    imageInUse = request.hashSeed;
  }
  const first = isSurelyUnfit.test(request.program) ? null : ask(request, "warm");
  if (first !== null && !["unfit", "harmed", "moving"].includes(first.kind)) {
    warmRuns++;
    if (first.isBroken || interpreter.hasGrown || warmRuns > mostWarmRuns) await restore();
    return { ...first, processorMs: processorMs() };
  }
  // To look at a program executes none of it, but moves what is allocated later.
  if (!interpreter.isPristine) await restore();
  const second = ask(request, "clean");
  await restore();
  return { ...second, wasHarmed: first?.kind === "harmed", processorMs: processorMs() };
}

async function restore(): Promise<void> {
  await interpreter.restore();
  warmRuns = 0;
}

interface Told {
  readonly kind: string;
  readonly isBroken: boolean;
}

function ask(request: Line, way: "warm" | "clean"): Told {
  try {
    const bytes = interpreter.ask(Buffer.from(JSON.stringify({ ...request, way })), surroundingsOf(request));
    return { ...(JSON.parse(Buffer.from(bytes).toString("utf8")) as Told), isBroken: false };
  } catch (thrown) {
    if (thrown instanceof Ended && thrown.why === "time") return limit("time");
    // V8's own stack is the smaller one now and then.
    if (thrown instanceof RangeError) return exception("RecursionError", "maximum recursion depth exceeded");
    return exception("InterpreterEnded", thrown instanceof Error ? thrown.message : String(thrown));
  }
}

function limit(name: string): Told {
  return { kind: "limit", limit: name, isBroken: true } as Told;
}

function exception(name: string, message: string): Told {
  return {
    kind: "exception",
    name,
    message,
    where: "program",
    line: null,
    output: "",
    isBroken: true,
  } as Told;
}

function say(answered: object): void {
  let bytes: Uint8Array = Buffer.from(`${textOf(answered)}\n`);
  while (bytes.length > 0) bytes = bytes.subarray(patiently(() => writeSync(1, bytes)));
}

/** A pipe that is full or empty is told as an error where something has made it so. */
function patiently(act: () => number): number {
  for (;;) {
    try {
      return act();
    } catch (thrown) {
      if ((thrown as NodeJS.ErrnoException).code !== "EAGAIN") throw thrown;
      Atomics.wait(cell, 0, 0, 1);
    }
  }
}

function textOf(answered: object): string {
  try {
    return JSON.stringify(answered);
  } catch {
    // Nested so deeply that it is no value.
    return JSON.stringify(exception("InterpreterEnded", "the interpreter gave no answer"));
  }
}

function* lines(): Generator<string> {
  const buffer = Buffer.alloc(65_536);
  let pieces: Buffer[] = [];
  for (;;) {
    const size = patiently(() => readSync(0, buffer));
    if (size === 0) return;
    let rest = Buffer.from(buffer.subarray(0, size));
    for (let end = rest.indexOf(10); end >= 0; end = rest.indexOf(10)) {
      yield Buffer.concat([...pieces, rest.subarray(0, end)]).toString("utf8");
      pieces = [];
      rest = rest.subarray(end + 1);
    }
    pieces.push(rest);
  }
}
