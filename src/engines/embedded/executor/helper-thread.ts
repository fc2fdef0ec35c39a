/**
 * A thread that does nothing but take chunks of kernels from the engine's thread. It knows no program by meaning:
 * tables of steps arrive over its port, tickets through shared memory (see `control.ts`).
 */
import { receiveMessageOnPort, workerData, type MessagePort } from "node:worker_threads";
import { callKernel, controlWords, stepWords, type Kernel } from "./control.ts";

export interface HelperData {
  readonly memory: WebAssembly.Memory;
  readonly control: Int32Array<SharedArrayBuffer>;
  readonly port: MessagePort;
}

export interface ProgramMessage {
  readonly program: number;
  readonly table: Int32Array<SharedArrayBuffer>;
  readonly stride: number;
  readonly modules: readonly WebAssembly.Module[];
}

interface LoadedProgram {
  readonly table: Int32Array<SharedArrayBuffer>;
  readonly stride: number;
  readonly kernels: readonly Kernel[];
}

/** About 50 microseconds of looking for work before the thread goes to sleep. */
const spinRounds = 20_000;

const { memory, control, port } = workerData as HelperData;
const programs = new Map<number, LoadedProgram>();

function receivePrograms(): void {
  for (
    let received = receiveMessageOnPort(port);
    received !== undefined;
    received = receiveMessageOnPort(port)
  ) {
    const message = received.message as ProgramMessage | { readonly forget: number };
    if ("forget" in message) programs.delete(message.forget);
    else {
      const kernels = message.modules.map(
        (module) => new WebAssembly.Instance(module, { env: { memory } }).exports["kernel"] as Kernel,
      );
      programs.set(message.program, { table: message.table, stride: message.stride, kernels });
    }
  }
}

/** Takes one chunk if there is one. */
function takeChunk(ticket: number): boolean {
  const chunk = ticket & 255;
  if (chunk >= Atomics.load(control, controlWords.chunkCount)) return false;
  const programId = Atomics.load(control, controlWords.program);
  const step = Atomics.load(control, controlWords.step);
  if (!programs.has(programId)) receivePrograms();
  const program = programs.get(programId);
  if (program === undefined) return false;
  if (Atomics.compareExchange(control, controlWords.ticket, ticket, ticket + 1) !== ticket) return true;
  const { table, kernels } = program;
  const at = step * program.stride;
  const chunkSize = table[at + stepWords.chunk]!;
  const begin = chunk * chunkSize;
  try {
    callKernel(
      kernels[table[at]!]!,
      table,
      at,
      begin,
      Math.min(begin + chunkSize, table[at + stepWords.size]!),
    );
  } catch {
    // The chunk still counts as done, so that nobody waits for it; the engine's thread throws.
    Atomics.store(control, controlWords.failed, 1);
  }
  Atomics.add(control, controlWords.done, 1);
  if (Atomics.load(control, controlWords.waiting) === 1) Atomics.notify(control, controlWords.done);
  return true;
}

function work(): void {
  let idle = 0;
  while (Atomics.load(control, controlWords.stop) === 0) {
    const ticket = Atomics.load(control, controlWords.ticket);
    if (takeChunk(ticket)) idle = 0;
    else if (++idle > spinRounds) {
      Atomics.add(control, controlWords.sleeping, 1);
      Atomics.wait(control, controlWords.ticket, ticket, 1000);
      Atomics.sub(control, controlWords.sleeping, 1);
      idle = 0;
    }
  }
}

work();
