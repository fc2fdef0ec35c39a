/**
 * Runs programs on ONNX Runtime: the pure functions that the WebAssembly executor compiles, traced by jax-js and
 * written as graphs of operators. One model definition, two executors.
 *
 * Inputs and outputs are views of the shared memory, so nothing is copied. Kernels choose their path by the size of
 * a batch, so the bits of a row can depend on the batch: they are reproducible for a fixed chunk of requests.
 */
import { assert, present, SerialQueue } from "../../../base/index.ts";
import type { JaxArray, JaxModule, TensorSpec } from "../executor/capture.ts";
import { SharedHeap } from "../executor/heap.ts";
import type { Bindings, CompiledProgram, ProgramExecutor } from "../executor/program-executor.ts";
import type { ProgramOptions } from "../executor/program.ts";
import { lower, type LoweredFunction } from "./lower.ts";
import { encodeModel, type GraphTensor, type OnnxGraph } from "./onnx-encoding.ts";
import type { OnnxRuntime, OnnxSession, OnnxTensor } from "./onnx-runtime.ts";
import { simplify } from "./simplify.ts";
import { trace } from "./traced.ts";

/** One of the two graphs of a program, ready to run. */
interface Phase {
  readonly session: OnnxSession;
  readonly graph: OnnxGraph;
}

/** Where a tensor of a graph lives. */
type Place =
  | { readonly kind: "input" | "output"; readonly index: number }
  | { readonly kind: "arena"; readonly offset: number };

export class NativeExecutor implements ProgramExecutor {
  readonly heap: SharedHeap;
  /** One large pass costs less than two of half the size: 181 against 301 ms at 2,048 positions of width 128. */
  readonly positionsPerBatch = 2048;
  readonly readsItsWrites = false;
  readonly isBatchInvariant = false;
  private readonly runtime: OnnxRuntime;
  private readonly threads: number;
  private readonly sessions: OnnxSession[] = [];
  private readonly compilations = new SerialQueue();

  constructor(
    runtime: OnnxRuntime,
    options: { readonly threads: number; readonly memoryLimitBytes?: number },
  ) {
    this.heap = new SharedHeap(options.memoryLimitBytes);
    this.runtime = runtime;
    this.threads = options.threads;
  }

  compile(
    specs: readonly TensorSpec[],
    build: (jax: JaxModule, inputs: JaxArray[]) => JaxArray[],
    options: ProgramOptions = {},
  ): Promise<CompiledProgram> {
    return this.compilations.add(async () => {
      assert((options.writtenInPlace ?? []).length === 0, "a program that is to read its own writes");
      const lowered = lower(simplify(await trace(specs, build)), options.lateInputs ?? []);
      const early = await this.open(lowered.early);
      const late = lowered.late === null ? null : await this.open(lowered.late);
      const { places, arenaBytes } = placeTensors(lowered);
      return {
        arenaBytes,
        run: async (phase, bindings) => {
          const chosen = phase === 0 ? early : present(late, "the second phase of a program");
          await this.run(chosen, places, bindings);
        },
      };
    });
  }

  async close(): Promise<void> {
    await Promise.all(this.sessions.map((session) => session.release()));
  }

  private async open(graph: OnnxGraph): Promise<Phase> {
    const session = await this.runtime.InferenceSession.create(encodeModel(graph), {
      executionProviders: ["cpu"],
      executionMode: "sequential",
      graphOptimizationLevel: "all",
      intraOpNumThreads: this.threads,
      interOpNumThreads: 1,
      logSeverityLevel: 3,
      // Numbers too small for float32's normal range cost a hundred times the usual, and count for nothing.
      extra: { session: { set_denormal_as_zero: "1" } },
    });
    this.sessions.push(session);
    return { session, graph };
  }

  private async run(
    { session, graph }: Phase,
    places: ReadonlyMap<string, Place>,
    bindings: Bindings,
  ): Promise<void> {
    const bind = (tensors: readonly GraphTensor[]): Record<string, OnnxTensor> =>
      Object.fromEntries(tensors.map((tensor) => [tensor.name, this.bind(tensor, places, bindings)]));
    await session.run(bind(graph.inputs), bind(graph.outputs));
  }

  private bind(tensor: GraphTensor, places: ReadonlyMap<string, Place>, bindings: Bindings): OnnxTensor {
    const place = present(places.get(tensor.name), `the place of ${tensor.name}`);
    const address = addressOf(place, bindings);
    const { Tensor } = this.runtime;
    const length = lengthOf(tensor);
    return tensor.type === "int32"
      ? new Tensor("int32", this.heap.int32(address, length), tensor.dims)
      : new Tensor("float32", this.heap.float32(address, length), tensor.dims);
  }
}

function placeTensors(lowered: LoweredFunction): { places: Map<string, Place>; arenaBytes: number } {
  const places = new Map<string, Place>();
  let arenaBytes = 0;
  for (const tensor of lowered.handedOver) {
    places.set(tensor.name, { kind: "arena", offset: arenaBytes });
    arenaBytes += Math.ceil((lengthOf(tensor) * 4) / 64) * 64;
  }
  for (const [index, name] of lowered.inputNames.entries()) places.set(name, { kind: "input", index });
  for (const [index, name] of lowered.outputNames.entries()) places.set(name, { kind: "output", index });
  return { places, arenaBytes };
}

function addressOf(place: Place, bindings: Bindings): number {
  switch (place.kind) {
    case "input":
      return present(bindings.inputs[place.index], "the address of an input");
    case "output":
      return present(bindings.outputs[place.index], "the address of an output");
    case "arena":
      return bindings.arena + place.offset;
  }
}

function lengthOf({ dims }: GraphTensor): number {
  return dims.reduce((product, size) => product * size, 1);
}
