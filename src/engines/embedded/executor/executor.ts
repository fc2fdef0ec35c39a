/**
 * Runs programs: walks their steps, and splits the large kernels with helper threads.
 *
 * How a kernel is split never changes a bit of its result: chunks begin where the generated code takes the same
 * path as for the whole, and every output element is computed by one thread in one order. So neither the number of
 * threads nor their timing can be seen in any number that leaves here.
 */
import { MessageChannel, Worker, type MessagePort } from "node:worker_threads";
import { assert, present } from "../../../base/index.ts";
import { capture, type JaxArray, type JaxModule, type TensorSpec } from "./capture.ts";
import { callKernel, closedTicket, controlWords, maximumChunks, stepWords, type Kernel } from "./control.ts";
import { SharedHeap } from "./heap.ts";
import type { HelperData, ProgramMessage } from "./helper-thread.ts";
import { buildProgram, type Operand, type Program, type ProgramOptions } from "./program.ts";
import type { Bindings, CompiledProgram, ProgramExecutor } from "./program-executor.ts";
import { SharingPolicy } from "./sharing-policy.ts";

/** A program that is ready to run; addresses of its inputs and outputs are given with each run. */
export interface LoadedProgram {
  readonly id: number;
  readonly program: Program;
  readonly table: Int32Array<SharedArrayBuffer>;
  readonly stride: number;
  readonly kernels: readonly Kernel[];
  /** First step of each phase and the end of the last. */
  readonly bounds: readonly [number, number, number];
  readonly patches: readonly Patch[];
  /** Per step: how often it was timed, and the shortest time. */
  readonly trials: Uint8Array;
  readonly durationsMs: Float64Array;
}

interface Patch {
  readonly word: number;
  readonly operand: Operand;
}

interface Helper {
  readonly thread: Worker;
  readonly port: MessagePort;
}

const headerWords = stepWords.operands;
/** Runs of a step before it is decided whether helpers take part in it. Speed alone depends on that, never a result. */
const trialRuns = 4;
/** Waking a helper and waiting for it costs some ten microseconds. */
const shareFromMs = 0.06;
const pieceMs = 0.02;
/** About ten microseconds. */
const spinRounds = 2_000;

/** The executor on WebAssembly. */
export class Executor implements ProgramExecutor {
  /** More were measured to bring nothing. */
  readonly positionsPerBatch = 2048;
  readonly readsItsWrites = true;
  readonly isBatchInvariant = true;
  readonly heap: SharedHeap;
  private readonly control = new Int32Array(new SharedArrayBuffer(controlWords.length * 4));
  private readonly helpers: Helper[] = [];
  private readonly kernels = new Map<WebAssembly.Module, Kernel>();
  private nextProgram = 1;
  private sequence = 0;
  private readonly policy = new SharingPolicy();

  constructor(options: { readonly threads: number; readonly memoryLimitBytes?: number }) {
    this.heap = new SharedHeap(options.memoryLimitBytes);
    const extension = import.meta.url.endsWith(".ts") ? "ts" : "js";
    for (let index = 1; index < options.threads; index += 1) {
      const { port1, port2 } = new MessageChannel();
      const workerData: HelperData = { memory: this.heap.memory, control: this.control, port: port2 };
      const thread = new Worker(new URL(`./helper-thread.${extension}`, import.meta.url), {
        workerData,
        transferList: [port2],
        execArgv: [],
      });
      thread.unref();
      port1.unref();
      this.helpers.push({ thread, port: port1 });
    }
  }

  async compile(
    specs: readonly TensorSpec[],
    build: (jax: JaxModule, inputs: JaxArray[]) => JaxArray[],
    options: ProgramOptions = {},
  ): Promise<CompiledProgram> {
    const loaded = this.load(buildProgram(await capture(specs, build), options));
    return {
      arenaBytes: loaded.program.arenaBytes,
      run: (phase, bindings) => this.run(loaded, phase, bindings),
    };
  }

  load(program: Program): LoadedProgram {
    const steps = program.phases.flat();
    const stride = headerWords + Math.max(1, ...steps.map((step) => step.operands.length));
    const table = new Int32Array(new SharedArrayBuffer(Math.max(4, steps.length * stride * 4)));
    const modules: WebAssembly.Module[] = [];
    const patches: Patch[] = [];
    for (const [index, step] of steps.entries()) {
      let kernel = modules.indexOf(step.module);
      if (kernel === -1) kernel = modules.push(step.module) - 1;
      const chunk = chunkFor(step.size, step.chunk);
      table.set([kernel, step.operands.length, step.size, chunk], index * stride);
      step.operands.forEach((operand, position) =>
        patches.push({ word: index * stride + headerWords + position, operand }),
      );
    }
    const id = this.nextProgram;
    this.nextProgram += 1;
    for (const helper of this.helpers)
      helper.port.postMessage({ program: id, table, stride, modules } satisfies ProgramMessage);
    const early = program.phases[0].length;
    const kernels = modules.map((module) => this.instantiate(module));
    const trials = new Uint8Array(steps.length);
    const durationsMs = new Float64Array(steps.length).fill(Infinity);
    return {
      id,
      program,
      table,
      stride,
      kernels,
      bounds: [0, early, steps.length],
      patches,
      trials,
      durationsMs,
    };
  }

  /** Runs one phase of a program to its end. Synchronous: the engine's thread is one of the workers. */
  run(loaded: LoadedProgram, phase: 0 | 1, bindings: Bindings): void {
    assert(
      bindings.inputs.length === loaded.program.inputCount,
      "a program was given the wrong number of inputs",
    );
    assert(
      bindings.outputs.length === loaded.program.outputSizes.length,
      "a program was given the wrong number of outputs",
    );
    const { table } = loaded;
    for (const { word, operand } of loaded.patches) table[word] = addressOf(operand, bindings);
    const end = loaded.bounds[phase + 1]!;
    for (let step = loaded.bounds[phase]; step < end; step += 1) this.runStep(loaded, step);
  }

  async close(): Promise<void> {
    Atomics.store(this.control, controlWords.stop, 1);
    Atomics.notify(this.control, controlWords.ticket);
    for (const helper of this.helpers) helper.port.close();
    await Promise.all(this.helpers.map((helper) => helper.thread.terminate()));
  }

  private instantiate(module: WebAssembly.Module): Kernel {
    const present = this.kernels.get(module);
    if (present !== undefined) return present;
    const instance = new WebAssembly.Instance(module, { env: { memory: this.heap.memory } });
    const kernel = instance.exports["kernel"] as Kernel;
    this.kernels.set(module, kernel);
    return kernel;
  }

  private runStep(loaded: LoadedProgram, step: number): void {
    const { table } = loaded;
    const at = step * loaded.stride;
    const kernel = loaded.kernels[table[at]!]!;
    const size = table[at + stepWords.size]!;
    const chunk = table[at + stepWords.chunk]!;
    if (chunk >= size || this.helpers.length === 0) callKernel(kernel, table, at, 0, size);
    else if (loaded.trials[step]! < trialRuns) this.tryAlone(loaded, step);
    else this.runLarge(loaded, step, Math.ceil(size / chunk));
  }

  private runLarge(loaded: LoadedProgram, step: number, chunks: number): void {
    const { table } = loaded;
    const at = step * loaded.stride;
    const start = performance.now();
    if (this.policy.shallShare) this.share(loaded, step, chunks);
    else callKernel(loaded.kernels[table[at]!]!, table, at, 0, table[at + stepWords.size]!);
    this.policy.record(performance.now() - start, loaded.durationsMs[step] ?? 0);
  }

  /** The first runs of a step are timed on this thread; then it is known into how many pieces it is worth cutting. */
  private tryAlone(loaded: LoadedProgram, step: number): void {
    const { table, trials, durationsMs } = loaded;
    const at = step * loaded.stride;
    const size = table[at + stepWords.size]!;
    const start = performance.now();
    callKernel(loaded.kernels[table[at]!]!, table, at, 0, size);
    durationsMs[step] = Math.min(durationsMs[step]!, performance.now() - start);
    trials[step]! += 1;
    if (trials[step]! < trialRuns) return;
    const durationMs = durationsMs[step] ?? 0;
    const pieces = Math.min(Math.floor(durationMs / pieceMs), (this.helpers.length + 1) * 4);
    const granularity = table[at + stepWords.chunk]!;
    const isWorthIt = durationMs >= shareFromMs && pieces > 1;
    table[at + stepWords.chunk] = isWorthIt ? Math.ceil(size / pieces / granularity) * granularity : size;
  }

  /** Offers the chunks of one step to the helpers, takes its own share, and waits for the rest. */
  private share(loaded: LoadedProgram, step: number, chunks: number): void {
    const { control } = this;
    // Closed first: a helper that still holds the last ticket must not win a chunk of a half-written description.
    Atomics.store(control, controlWords.ticket, (this.sequence << 8) | closedTicket);
    this.sequence = (this.sequence + 1) % 0x7f_ffff;
    Atomics.store(control, controlWords.done, 0);
    Atomics.store(control, controlWords.chunkCount, chunks);
    Atomics.store(control, controlWords.program, loaded.id);
    Atomics.store(control, controlWords.step, step);
    Atomics.store(control, controlWords.ticket, this.sequence << 8);
    if (Atomics.load(control, controlWords.sleeping) > 0) Atomics.notify(control, controlWords.ticket);
    const { table } = loaded;
    const at = step * loaded.stride;
    const kernel = loaded.kernels[table[at]!]!;
    const size = table[at + stepWords.size]!;
    const chunk = table[at + stepWords.chunk]!;
    let ticket = Atomics.load(control, controlWords.ticket);
    while ((ticket & 255) < chunks) {
      if (Atomics.compareExchange(control, controlWords.ticket, ticket, ticket + 1) === ticket) {
        const begin = (ticket & 255) * chunk;
        callKernel(kernel, table, at, begin, Math.min(begin + chunk, size));
        Atomics.add(control, controlWords.done, 1);
      }
      ticket = Atomics.load(control, controlWords.ticket);
    }
    this.awaitChunks(chunks);
    assert(Atomics.load(control, controlWords.failed) === 0, "a kernel failed on a helper thread");
  }

  /** Spins a little, then sleeps: on a busy machine the helper that is waited for may need this very core. */
  private awaitChunks(chunks: number): void {
    const { control } = this;
    for (let round = 0; round < spinRounds; round += 1) {
      if (Atomics.load(control, controlWords.done) >= chunks) return;
    }
    Atomics.store(control, controlWords.waiting, 1);
    for (
      let done = Atomics.load(control, controlWords.done);
      done < chunks;
      done = Atomics.load(control, controlWords.done)
    ) {
      Atomics.wait(control, controlWords.done, done, 1);
    }
    Atomics.store(control, controlWords.waiting, 0);
  }
}

function addressOf(operand: Operand, bindings: Bindings): number {
  switch (operand.kind) {
    case "input":
      return present(bindings.inputs[operand.index], "the address of an input");
    case "output":
      return present(bindings.outputs[operand.index], "the address of an output");
    case "arena":
      return bindings.arena + operand.offset;
  }
}

/** Splits are multiples of the granularity that the code generator named; tiny kernels stay whole. */
function chunkFor(size: number, granularity: number): number {
  const pieces = Math.ceil(size / granularity);
  return pieces <= maximumChunks ? granularity : Math.ceil(pieces / maximumChunks) * granularity;
}
