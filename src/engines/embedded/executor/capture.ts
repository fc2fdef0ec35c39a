/**
 * Uses jax-js as a compiler: traces a pure function once, and records which WebAssembly kernels it would launch.
 *
 * jax-js sends kernels to browser Workers. Here stands a Worker that only writes down what it is sent, so tracing,
 * differentiation, fusion and code generation are the library's, while memory, threads and order of execution are
 * ours (see `run-program.ts`). That takes away a promise and a message per kernel, and every reference count.
 * The file knows nothing of models. Its only assumptions about the library are the messages checked in `readLaunch`.
 */
import type * as Jax from "@jax-js/jax";
import { assert, present } from "../../../base/index.ts";

export type JaxModule = typeof Jax;
export type JaxArray = Jax.numpy.Array;

/** Shape and type of one input of a traced function. All are four bytes wide. */
export interface TensorSpec {
  readonly shape: readonly number[];
  readonly type: "float32" | "int32";
}

/** One kernel launch: `module.kernel(...reads, write, begin, end)` over `[0, size)` in steps of `chunk`. */
export interface Launch {
  readonly module: WebAssembly.Module;
  readonly reads: readonly number[];
  readonly write: number;
  readonly size: number;
  readonly chunk: number;
}

/** A traced function: its launches, and the addresses of inputs and outputs in the library's own memory. */
export interface Capture {
  readonly launches: readonly Launch[];
  readonly inputs: readonly number[];
  readonly outputs: readonly number[];
  readonly outputSizes: readonly number[];
}

interface KernelMessage {
  readonly module: WebAssembly.Module;
  readonly ptrs: readonly number[];
  readonly begin: number;
  readonly end: number;
}

let recording: KernelMessage[] = [];

function readMessage(message: unknown): KernelMessage | "init" {
  assert(
    typeof message === "object" && message !== null && "type" in message,
    "jax-js sent an unknown message",
  );
  if (message.type === "init") return "init";
  assert(message.type === "kernel", `jax-js wants to run "${String(message.type)}", which has no kernel`);
  assert(
    "module" in message &&
      message.module instanceof WebAssembly.Module &&
      "ptrs" in message &&
      Array.isArray(message.ptrs),
    "this version of jax-js launches kernels in a way that the embedded engine does not know",
  );
  return message as unknown as KernelMessage;
}

class RecordingWorker {
  onmessage: ((event: { data: unknown }) => void) | null = null;
  onerror: ((event: unknown) => void) | null = null;

  postMessage(message: unknown): void {
    const read = readMessage(message);
    if (read === "init") this.answer({ type: "ready" });
    else {
      recording.push(read);
      this.answer({ type: "done", ok: true });
    }
  }

  terminate(): void {}

  private answer(data: unknown): void {
    queueMicrotask(() => this.onmessage?.({ data }));
  }
}

let loaded: Promise<JaxModule> | undefined;

/** Loads jax-js behind the recording Worker. Changes globals, so only the engine's own thread may call it. */
export function loadJax(): Promise<JaxModule> {
  loaded ??= (async () => {
    // Many pretended cores make the library say how finely each kernel may be split (see `readLaunches`).
    const navigator = { hardwareConcurrency: 64, userAgent: "node" };
    Object.defineProperty(globalThis, "navigator", { value: navigator, configurable: true });
    Object.defineProperty(globalThis, "Worker", { value: RecordingWorker, configurable: true });
    const jax = await import("@jax-js/jax");
    await jax.init("wasm");
    jax.defaultDevice("wasm");
    return jax;
  })();
  return loaded;
}

/** Traces `build` on inputs of the given shapes. Nothing is computed. */
export async function capture(
  specs: readonly TensorSpec[],
  build: (jax: JaxModule, inputs: JaxArray[]) => JaxArray[],
): Promise<Capture> {
  const jax = await loadJax();
  const inputArrays = specs.map((spec) => jax.numpy.zeros([...spec.shape], { dtype: jax.numpy[spec.type] }));
  const inputs = await addressesOf(jax, inputArrays);
  const compiled = jax.jit((arrays: JaxArray[]) => build(jax, arrays));
  const outputArrays: JaxArray[] = [];
  const launches = await record(jax, () => compiled(inputArrays), outputArrays);
  const outputSizes = outputArrays.map((array) => array.size);
  const outputs = await addressesOf(jax, outputArrays);
  for (const array of outputArrays) array.dispose();
  compiled.dispose();
  return { launches, inputs, outputs, outputSizes };
}

/** Runs `action`, waits until everything it started was sent to the Worker, and collects its results. */
async function record(jax: JaxModule, action: () => JaxArray[], into: JaxArray[]): Promise<Launch[]> {
  recording = [];
  const results = action();
  into.push(...results);
  for (const result of results) await jax.blockUntilReady(result.ref);
  return readLaunches(recording);
}

/** One launch arrives as several messages, one per pretended core; the second begins where a split is allowed. */
function readLaunches(messages: readonly KernelMessage[]): Launch[] {
  const launches: Launch[] = [];
  for (const message of messages) {
    const last = launches.at(-1);
    if (message.begin !== 0 && last !== undefined) {
      const chunk = Math.min(last.chunk, message.begin);
      launches[launches.length - 1] = { ...last, chunk, size: message.end };
      continue;
    }
    const write = present(message.ptrs.at(-1), "the output of a kernel");
    launches.push({
      module: message.module,
      reads: message.ptrs.slice(0, -1),
      write,
      size: message.end,
      chunk: message.end,
    });
  }
  return launches;
}

/**
 * The library hides addresses, so a throw-away kernel that reads the first number of each array reveals them.
 * Arrays that were still unwritten constants get their memory on the way; their references are not consumed.
 */
async function addressesOf(jax: JaxModule, arrays: readonly JaxArray[]): Promise<number[]> {
  const addresses: number[] = [];
  for (let start = 0; start < arrays.length; start += 32) {
    const part = arrays.slice(start, start + 32);
    const probe = jax.jit((list: JaxArray[]) =>
      list
        .map((array) => array.reshape([-1]).slice([0, 1]).astype(jax.numpy.float32))
        .reduce((sum, one) => sum.add(one)),
    );
    const results: JaxArray[] = [];
    const launch = (await record(jax, () => [probe(part.map((array) => array.ref))], results)).at(-1);
    assert(
      launch !== undefined && launch.reads.length === part.length,
      "two arrays of a program share one address",
    );
    addresses.push(...launch.reads);
    for (const result of results) result.dispose();
    probe.dispose();
  }
  return addresses;
}
