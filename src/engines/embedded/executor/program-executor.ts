/**
 * What the engine asks of an executor: to compile pure functions and to run them on numbers in shared memory. Both
 * executors stand behind it, so that nothing above knows which one computes.
 */
import type { JaxArray, JaxModule, TensorSpec } from "./capture.ts";
import type { SharedHeap } from "./heap.ts";
import type { ProgramOptions } from "./program.ts";

export interface Bindings {
  readonly inputs: readonly number[];
  readonly outputs: readonly number[];
  /** Address of at least `arenaBytes` bytes; both phases of one pass must get the same. */
  readonly arena: number;
}

export interface CompiledProgram {
  /** Scratch memory that a run needs. */
  readonly arenaBytes: number;
  /** Runs one phase to its end; what it wrote is there when the promise, where there is one, resolves. */
  run(phase: 0 | 1, bindings: Bindings): void | Promise<void>;
}

export interface ProgramExecutor {
  /** Inputs and outputs of programs live here. */
  readonly heap: SharedHeap;
  /** Positions per micro-batch at which it is fastest. */
  readonly positionsPerBatch: number;
  /** Whether a step of sampling can read, from the cache, what it has just written there. */
  readonly readsItsWrites: boolean;
  /** Whether a row's bits are independent of the other rows; where not, a chunk of requests is sampled alone. */
  readonly isBatchInvariant: boolean;
  compile(
    specs: readonly TensorSpec[],
    build: (jax: JaxModule, inputs: JaxArray[]) => JaxArray[],
    options?: ProgramOptions,
  ): Promise<CompiledProgram>;
  close(): Promise<void>;
}
