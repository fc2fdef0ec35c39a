/**
 * What every conformance test gets: the engine, ways to make models that are cleaned up afterwards,
 * small data that any vocabulary holds, and tolerances. Knows the contract alone.
 */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "vitest";
import type {
  Capability,
  CreateModelOptions,
  Datum,
  Engine,
  Model,
  ModelSource,
  OptimizerKind,
  OptimizerParameters,
  PolicyVersion,
  TokenizerDefinition,
} from "../../contract/index.ts";
import { loadTokenizer, type Tokenizer } from "../../text/index.ts";
import { tolerances, widened, type Tolerance } from "../tolerances.ts";

/** The model that the suite trains: tiny where the engine can build one. */
export interface ModelUnderTest extends Omit<CreateModelOptions, "name" | "head"> {
  /** What is known of a base model, so that tests over all tokens and of texts run on it too. */
  readonly base?: {
    readonly vocabularySize: number;
    readonly tokenizer: TokenizerDefinition;
  };
}

export interface ConformanceTest {
  readonly title: string;
  /** What the engine must be able to do; where it lacks one, the test is skipped with that reason. */
  readonly needs?: readonly Capability[];
  /** True for tests that look at every token of the vocabulary. */
  readonly isOverVocabulary?: boolean;
  /** True for tests that no 16-bit arithmetic can pass. */
  readonly isFine?: boolean;
  readonly run: (context: ConformanceContext) => Promise<void>;
}

/** The largest vocabulary that tests go through token by token. */
export const exhaustiveVocabularySize = 64;

export interface ConformanceContextOptions {
  readonly engine: Engine;
  readonly createEngine: () => Promise<Engine>;
  readonly modelUnderTest: ModelUnderTest;
  readonly skip: (reason: string) => never;
}

export class ConformanceContext {
  readonly engine: Engine;
  readonly createEngine: () => Promise<Engine>;
  readonly modelUnderTest: ModelUnderTest;
  /** For log-probabilities: they cross the contract as float32. */
  readonly tolerance: Tolerance;
  readonly #skip: (reason: string) => never;
  readonly #models: Model[] = [];
  readonly #versions: PolicyVersion[] = [];
  readonly #folders: string[] = [];
  static #nameCount = 0;

  constructor(options: ConformanceContextOptions) {
    this.engine = options.engine;
    this.createEngine = options.createEngine;
    this.modelUnderTest = options.modelUnderTest;
    this.#skip = options.skip;
    const { precision } = options.engine.description;
    const row = precision === "bfloat16" ? tolerances.bfloat16 : tolerances.float32;
    this.tolerance = widened(row, 4, "log-probabilities are differences of larger logits");
  }

  /** Ends the test as skipped, where what it asks does not apply to this engine or model. */
  skip(reason: string): never {
    return this.#skip(reason);
  }

  /** The architecture under test; skips where the model comes from elsewhere. */
  architecture(): Extract<ModelSource, { kind: "architecture" }> {
    const { from } = this.modelUnderTest;
    return from.kind === "architecture"
      ? from
      : this.skip("needs a model that is built from an architecture");
  }

  /** The tokenizer of the model under test; skips where none is known. */
  tokenizer(): Tokenizer {
    const { tokenizer, base } = this.modelUnderTest;
    const definition = tokenizer ?? base?.tokenizer;
    return definition === undefined
      ? this.skip("needs a model whose tokenizer is known")
      : loadTokenizer(definition);
  }

  has(capability: Capability): boolean {
    return this.engine.capabilities.has(capability);
  }

  /** A model of the start that all tests share, under a name of its own; released after the test, with its versions. */
  async createModel(changes: Partial<CreateModelOptions> = {}): Promise<Model> {
    ConformanceContext.#nameCount += 1;
    const name = `conformance-${ConformanceContext.#nameCount}`;
    const { base: _base, ...options } = this.modelUnderTest;
    const model = await this.engine.createModel({ ...options, name, ...changes });
    this.#models.push(model);
    return noting(model, (version) => this.#versions.push(version));
  }

  /** Uses a model and releases it at once, so that engines with one model at a time pass too. */
  async withModel<T>(
    body: (model: Model) => Promise<T>,
    changes: Partial<CreateModelOptions> = {},
  ): Promise<T> {
    const model = await this.createModel(changes);
    try {
      return await body(model);
    } finally {
      await model.release();
    }
  }

  /** A path that does not exist yet, below a folder that is removed after the test. */
  async newFolder(): Promise<string> {
    const parent = await mkdtemp(join(tmpdir(), "spar-conformance-"));
    this.#folders.push(parent);
    return join(parent, "state");
  }

  /**
   * An optimizer whose step is smooth in the gradient, so that rounding is not blown up: plain
   * descent, or Adam with a large epsilon.
   */
  smoothOptimizer(learningRate: number): OptimizerParameters {
    if (this.has("optimizer:sgd")) return { kind: "sgd", learningRate };
    return { kind: this.#adaptiveKind(), learningRate, epsilon: 1, weightDecay: 0 };
  }

  /** An optimizer that learns fast and has state. */
  fastOptimizer(learningRate: number): OptimizerParameters {
    return { kind: this.#adaptiveKind(), learningRate, weightDecay: 0 };
  }

  async cleanUp(): Promise<void> {
    await Promise.allSettled(this.#models.map((model) => model.release()));
    await Promise.allSettled(this.#versions.map((version) => this.engine.releaseVersion(version)));
    await Promise.all(this.#folders.map((folder) => rm(folder, { recursive: true, force: true })));
  }

  #adaptiveKind(): Exclude<OptimizerKind, "sgd"> {
    const kinds = ["adam", "adamw", "rmsprop"] as const;
    return kinds.find((kind) => this.has(`optimizer:${kind}`)) ?? "adam";
  }
}

/**
 * Bits where the engine has all the promised capabilities, else numbers within the tolerance. With
 * null nothing is promised but the tolerance.
 */
export function expectSame(
  context: ConformanceContext,
  actual: readonly ArrayLike<number>[],
  expected: readonly ArrayLike<number>[],
  promised: readonly Capability[] | null = ["deterministic"],
): void {
  expect(actual.length).toBe(expected.length);
  const isExact = promised?.every((capability) => context.has(capability)) ?? false;
  actual.forEach((row, rowIndex) => {
    const other = Array.from(expected[rowIndex] ?? []);
    expect(row.length).toBe(other.length);
    if (isExact) expect(Array.from(row)).toEqual(other);
    Array.from(row).forEach((value, index) => {
      const { absolute, relative } = context.tolerance;
      const difference = Math.abs(value - (other[index] ?? Number.NaN));
      expect(difference, `row ${rowIndex}, entry ${index}`).toBeLessThanOrEqual(
        absolute + relative * Math.abs(value),
      );
    });
  });
}

/** Requires that something changed by clearly more than the tolerance. */
export function expectChanged(
  context: ConformanceContext,
  actual: readonly ArrayLike<number>[],
  before: readonly ArrayLike<number>[],
): void {
  const differences = actual.flatMap((row, rowIndex) =>
    Array.from(row, (value, index) => Math.abs(value - (before[rowIndex]?.[index] ?? 0))),
  );
  expect(Math.max(...differences)).toBeGreaterThan(10 * context.tolerance.absolute);
}

/** Log-probabilities of the targets under the current weights. */
export async function forwardOf(model: Model, data: readonly Datum[]): Promise<readonly Float32Array[]> {
  return (await model.forward(data)).logprobs;
}

/** The model, with a note of every version that it publishes. */
function noting(model: Model, note: (version: PolicyVersion) => void): Model {
  const publish: Model["publish"] = async (...options) => {
    const version = await model.publish(...options);
    note(version);
    return version;
  };
  return new Proxy(model, {
    get: (target, name) => {
      if (name === "publish") return publish;
      const value: unknown = Reflect.get(target, name, target);
      return typeof value === "function" ? (value.bind(target) as unknown) : value;
    },
  });
}
