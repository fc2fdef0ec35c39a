/**
 * Compiled programs by model shape and batch shape, with the buffers that belong to each: compiling costs some
 * tenths of a second, so every program is made once and kept. Knows no weights: those are bound at each run.
 */
import { SerialQueue } from "../../../base/index.ts";
import { buildDecoding, decodingSpecs, type DecodingShape } from "../model/decoding-program.ts";
import { listLeaves, shapeKey, type Leaf, type ModelShape } from "../model/layout.ts";
import { freshBias, rotaryTables, trainingBias } from "../model/tables.ts";
import {
  buildHidden,
  buildTraining,
  hiddenSpecs,
  outputsOf,
  trainingSpecs,
  type BatchShape,
  type PassOutput,
} from "../model/training-program.ts";
import type { CompiledProgram, ProgramExecutor } from "./program-executor.ts";

/** The training pass for one batch shape and the addresses of its own buffers. */
export interface TrainingProgram {
  readonly compiled: CompiledProgram;
  readonly batch: BatchShape;
  readonly bias: number;
  readonly tokens: number;
  readonly targets: number;
  /** Per-token outputs and the gradients with respect to them, in the order of the program. */
  readonly outputs: readonly {
    readonly name: PassOutput;
    readonly values: number;
    readonly gradients: number;
  }[];
}

/** The last hidden layer, for embeddings. */
export interface HiddenProgram {
  readonly compiled: CompiledProgram;
  readonly batch: BatchShape;
  readonly bias: number;
  readonly tokens: number;
  readonly hidden: number;
}

export interface DecodingProgram {
  readonly compiled: CompiledProgram;
  readonly step: DecodingShape;
  readonly bias: number;
  /** Between the positions of one step, where they are not read from the cache. */
  readonly freshBias: number;
  readonly positions: number;
  readonly tokens: number;
  readonly logits: number;
}

export interface RotaryAddresses {
  readonly cosine: number;
  readonly sine: number;
}

export class ProgramLibrary {
  readonly executor: ProgramExecutor;
  private readonly training = new Map<string, Promise<TrainingProgram>>();
  private readonly hidden = new Map<string, Promise<HiddenProgram>>();
  private readonly decoding = new Map<string, Promise<DecodingProgram>>();
  private readonly rotary = new Map<string, RotaryAddresses>();
  /** Tracing is global to jax-js: one compilation at a time. */
  private readonly captures = new SerialQueue();
  private arenaAddress = 0;
  private arenaBytes = 0;

  constructor(executor: ProgramExecutor) {
    this.executor = executor;
  }

  trainingProgram(shape: ModelShape, batch: BatchShape, withEntropies = false): Promise<TrainingProgram> {
    const outputs = outputsOf(shape, withEntropies);
    const key = `${shapeKey(shape)}/${batch.rows}x${batch.length}/${outputs.join("-")}`;
    return remember(this.training, key, () =>
      this.captures.add(() => this.makeTraining(shape, batch, outputs)),
    );
  }

  hiddenProgram(shape: ModelShape, batch: BatchShape): Promise<HiddenProgram> {
    const key = `${shapeKey(shape)}/${batch.rows}x${batch.length}`;
    return remember(this.hidden, key, () => this.captures.add(() => this.makeHidden(shape, batch)));
  }

  decodingProgram(shape: ModelShape, step: DecodingShape): Promise<DecodingProgram> {
    const key = `${shapeKey(shape)}/${step.rows}x${step.slots}x${step.queryCount}${step.withLogits ? "" : "-silent"}`;
    return remember(this.decoding, key, () => this.captures.add(() => this.makeDecoding(shape, step)));
  }

  /** Scratch memory for one run. All programs share it, since they run one after another. */
  arena(bytes: number): number {
    if (bytes > this.arenaBytes) {
      if (this.arenaBytes > 0) this.executor.heap.free(this.arenaAddress);
      // Whether or not there is room for more, the old one is gone.
      this.arenaBytes = 0;
      this.arenaAddress = this.executor.heap.allocate(bytes);
      this.arenaBytes = bytes;
    }
    return this.arenaAddress;
  }

  /** Tables for every position of a model; a later position is a later address. */
  rotaryAddresses(shape: ModelShape): RotaryAddresses {
    const key = shapeKey(shape);
    const present = this.rotary.get(key);
    if (present !== undefined) return present;
    const tables = rotaryTables(shape, Math.ceil(shape.contextLength / 4) * 4 + 16);
    const made = this.executor.heap.together(() => ({
      cosine: this.store(tables.cosine),
      sine: this.store(tables.sine),
    }));
    this.rotary.set(key, made);
    return made;
  }

  private async makeTraining(
    shape: ModelShape,
    batch: BatchShape,
    outputs: readonly PassOutput[],
  ): Promise<TrainingProgram> {
    const leaves = listLeaves(shape);
    const specs = trainingSpecs(shape, leaves, batch, outputs);
    const lateInputs = outputs.map((_, index) => specs.length - outputs.length + index);
    const build = buildTraining(shape, leaves, batch, outputs);
    const compiled = await this.executor.compile(specs, build, { lateInputs });
    const { heap } = this.executor;
    const count = batch.rows * batch.length;
    return heap.together(() => ({
      compiled,
      batch,
      bias: this.store(trainingBias(shape, batch.length)),
      tokens: heap.allocateZeros(count),
      targets: heap.allocateZeros(count),
      outputs: outputs.map((name) => ({
        name,
        values: heap.allocateZeros(count),
        gradients: heap.allocateZeros(count),
      })),
    }));
  }

  private async makeHidden(shape: ModelShape, batch: BatchShape): Promise<HiddenProgram> {
    const leaves = listLeaves(shape);
    const build = buildHidden(shape, leaves, batch);
    const compiled = await this.executor.compile(hiddenSpecs(shape, leaves, batch), build);
    const { heap } = this.executor;
    const count = batch.rows * batch.length;
    return heap.together(() => ({
      compiled,
      batch,
      bias: this.store(trainingBias(shape, batch.length)),
      tokens: heap.allocateZeros(count),
      hidden: heap.allocateZeros(count * shape.width),
    }));
  }

  private async makeDecoding(shape: ModelShape, step: DecodingShape): Promise<DecodingProgram> {
    const leaves = listLeaves(shape);
    const build = buildDecoding(shape, leaves, step);
    const writtenInPlace = step.fresh === "cached" ? cacheOutputs(shape, leaves) : [];
    const compiled = await this.executor.compile(decodingSpecs(shape, leaves, step), build, {
      writtenInPlace,
    });
    const { heap } = this.executor;
    const count = step.rows * step.queryCount;
    return heap.together(() => ({
      compiled,
      step,
      freshBias: step.fresh === "apart" ? this.store(freshBias(shape, step.queryCount)) : 0,
      bias: heap.allocateZeros(step.slots * step.queryCount * shape.headCount),
      positions: heap.allocateZeros(step.queryCount),
      tokens: heap.allocateZeros(count),
      logits: step.withLogits ? heap.allocateZeros(count * shape.paddedVocabularySize) : 0,
    }));
  }

  private store(numbers: Float32Array): number {
    const address = this.executor.heap.allocate(numbers.byteLength);
    this.executor.heap.float32(address, numbers.length).set(numbers);
    return address;
  }
}

/** Inputs between the weights and the caches of a decoding program. */
const decodingHeaderInputs = 5;

function cacheOutputs(shape: ModelShape, leaves: readonly Leaf[]): { output: number; input: number }[] {
  return Array.from({ length: 2 * shape.layerCount }, (_, index) => ({
    output: index,
    input: leaves.length + decodingHeaderInputs + index,
  }));
}

/** A failed compilation is not remembered. */
function remember<T>(map: Map<string, Promise<T>>, key: string, make: () => Promise<T>): Promise<T> {
  const present = map.get(key);
  if (present !== undefined) return present;
  const made = make();
  map.set(key, made);
  made.catch(() => map.delete(key));
  return made;
}
