/**
 * What the engine's thread does with each call: order per model, one computation at a time, versions. The arithmetic
 * is in `training/` and `sampler/`; messages and threads are `engine-thread.ts`.
 */
import { abortedError, present, SerialQueue } from "../../../base/index.ts";
import {
  modelReleased,
  referenceLoss,
  type Datum,
  type ForwardBackwardResult,
  type ForwardResult,
  type PolicyVersion,
} from "../../../contract/index.ts";
import type { ProgramExecutor } from "../executor/program-executor.ts";
import { ProgramLibrary } from "../executor/program-library.ts";
import { BatchSampler } from "../sampler/batch-sampler.ts";
import { accumulateGradients, computeOutputs, type LossStage, type Pass } from "../training/gradient-pass.ts";
import { embedRows } from "../training/embed-rows.ts";
import type { LiveModel } from "../training/live-model.ts";
import { exportModel } from "../weights/export-model.ts";
import { loadState, saveState } from "../weights/model-state.ts";
import { copyBlock, digestBlock } from "../weights/weight-store.ts";
import { breathe, checkWanted, unlessCancelled } from "./cancellation.ts";
import { createLiveModel, restoreState } from "./create-live-model.ts";
import type {
  ArgumentsOf,
  EngineCallName,
  ModelFacts,
  ResultOf,
  TokenArrays,
  TrainingRow,
} from "./protocol.ts";
import { VersionStore } from "./version-store.ts";

export interface CallContext {
  readonly signal: AbortSignal;
  /** Number of the chunk: calls that were made together have the same. */
  readonly chunk: number;
  /** Null when the call was given up meanwhile. */
  askForGradients(outputs: TokenArrays<Float32Array>): Promise<TokenArrays<Float64Array> | null>;
}

type Handlers = {
  readonly [Name in EngineCallName]: (
    given: ArgumentsOf<Name>,
    context: CallContext,
  ) => Promise<ResultOf<Name>>;
};

interface Entry {
  readonly id: string;
  readonly model: LiveModel;
  readonly queue: SerialQueue;
  versionCount: number;
}

export class EngineCore {
  private readonly library: ProgramLibrary;
  private readonly versions: VersionStore;
  private readonly sampler: BatchSampler;
  private readonly entries = new Map<string, Entry>();
  /** One computation at a time: programs share their scratch memory and all cores. */
  private readonly compute = new SerialQueue();
  private modelCount = 0;
  private readonly handlers: Handlers;

  constructor(executor: ProgramExecutor) {
    this.library = new ProgramLibrary(executor);
    this.versions = new VersionStore(this.library.executor.heap);
    this.sampler = new BatchSampler({
      library: this.library,
      compute: this.compute,
      versions: this.versions,
    });
    this.handlers = this.makeHandlers();
  }

  async call(name: EngineCallName, given: unknown, context: CallContext): Promise<unknown> {
    // The protocol pairs each name with its arguments; the pairing cannot be seen through the port.
    const handler = this.handlers[name] as (given: unknown, context: CallContext) => Promise<unknown>;
    return handler(given, context);
  }

  private makeHandlers(): Handlers {
    return { ...this.trainingHandlers(), ...this.storageHandlers(), ...this.versionHandlers() };
  }

  private trainingHandlers(): Pick<
    Handlers,
    "createModel" | "forward" | "forwardBackward" | "forwardBackwardCustom" | "optimStep" | "discardGradients"
  > {
    return {
      createModel: (given, context) => this.createModel(given, context),
      forward: ({ modelId, rows }, context) =>
        this.inOrder(modelId, context, ({ model }) => this.forward(model, rows, context)),
      forwardBackward: ({ modelId, rows, loss }, context) =>
        this.inOrder(modelId, context, async ({ model }) => {
          const data = rows.map(toDatum);
          let value = 0;
          const { logprobs } = await this.accumulate(model, rows, context, {
            kind: "row-wise",
            evaluate: (rowIndices, computed) => {
              const part = rowIndices.map((rowIndex) => present(data[rowIndex], "a row"));
              const evaluation = referenceLoss(loss, computed, part);
              value += evaluation.value;
              return evaluation.gradients;
            },
          });
          return { logprobs, loss: value, metrics: {} } satisfies ForwardBackwardResult;
        }),
      forwardBackwardCustom: ({ modelId, rows, withEntropies }, context) =>
        this.inOrder(modelId, context, ({ model }) => {
          const stage: LossStage = {
            kind: "whole",
            evaluate: async (outputs) => {
              const gradients = await context.askForGradients(outputs);
              if (gradients === null) throw abortedError({ boundary: "engine", what: "a custom loss" });
              return gradients;
            },
          };
          return this.accumulate(model, rows, { ...context, withEntropies }, stage);
        }),
      optimStep: ({ modelId, parameters }, context) =>
        this.inOrder(modelId, context, async ({ model }) => model.step(parameters)),
      discardGradients: ({ modelId }, context) =>
        this.inOrder(modelId, context, async ({ model }) => {
          model.gradients.clear();
          return null;
        }),
    };
  }

  private storageHandlers(): Pick<Handlers, "publish" | "save" | "load" | "export" | "releaseModel"> {
    return {
      publish: ({ modelId, trainable }, context) =>
        this.inOrder(modelId, context, async (entry) => {
          const version = this.publish(entry, trainable);
          await unlessCancelled(context.signal, () => this.versions.release(version.address));
          return version;
        }),
      save: ({ modelId, folder }, context) =>
        this.inOrder(modelId, context, ({ model }) => saveState(folder, model, context.signal)),
      load: ({ modelId, folder, includeOptimizer }, context) =>
        this.inOrder(modelId, context, async ({ model }) => {
          const state = await loadState(folder, this.library.executor.heap);
          restoreState(model, state, { folder, includeOptimizer });
          return null;
        }),
      export: ({ modelId, folder }, context) =>
        this.inOrder(modelId, context, async ({ model }) => {
          await exportModel(folder, model, context.signal);
          return null;
        }),
      releaseModel: ({ modelId }, context) =>
        this.inOrder(modelId, context, async ({ model }) => {
          this.entries.delete(modelId);
          model.release();
          return null;
        }),
    };
  }

  private versionHandlers(): Pick<
    Handlers,
    "sample" | "computeLogprobs" | "computeValues" | "embed" | "releaseVersion" | "measureMemory"
  > {
    return {
      sample: (given, context) => this.sampler.sample(this.versions.find(given.address), given, context),
      computeLogprobs: async ({ address, inputs }, context) => {
        // Every position but the last predicts the next one; an input of one position has nothing to score.
        const rows = inputs.map((ids) => ({ tokens: ids.slice(0, -1), targets: ids.slice(1) }));
        return this.onVersion(address, rows, context, async (pass) => (await computeOutputs(pass)).logprobs);
      },
      computeValues: async ({ address, inputs }, context) =>
        this.onVersion(address, inputs.map(withoutTargets), context, async (pass) =>
          present((await computeOutputs(pass)).values, "the values of a model with a value head"),
        ),
      embed: async ({ address, inputs }, context) =>
        this.onVersion(address, inputs.map(withoutTargets), context, embedRows),
      releaseVersion: async ({ address }) => {
        this.versions.release(address);
        return null;
      },
      measureMemory: async () => ({ tensorBytes: this.library.executor.heap.usedBytes }),
    };
  }

  /** Runs when all earlier calls on the model have settled and nothing else computes. */
  private inOrder<T>(
    modelId: string,
    { signal }: CallContext,
    action: (entry: Entry) => Promise<T>,
  ): Promise<T> {
    const entry = this.entries.get(modelId);
    if (entry === undefined) throw modelReleased(modelId);
    return entry.queue.add(() =>
      this.compute.add(async () => {
        checkWanted(signal);
        return action(entry);
      }),
    );
  }

  private async createModel(given: ArgumentsOf<"createModel">, { signal }: CallContext): Promise<ModelFacts> {
    const { library, versions } = this;
    const model = await this.compute.add(() =>
      createLiveModel(given, { heap: library.executor.heap, versions }),
    );
    await unlessCancelled(signal, () => model.release());
    this.modelCount += 1;
    const id = `${given.name}-${this.modelCount}`;
    this.entries.set(id, { id, model, queue: new SerialQueue(), versionCount: 0 });
    const { contextLength, vocabularySize, hasValueHead } = model.weights.shape;
    const { parameterCount, trainableParameterCount } = model;
    const hasTokenizer = model.tokenizer !== undefined;
    return {
      id,
      contextLength,
      vocabularySize,
      parameterCount,
      trainableParameterCount,
      hasTokenizer,
      hasValueHead,
    };
  }

  private async forward(
    model: LiveModel,
    rows: readonly TrainingRow[],
    context: CallContext,
  ): Promise<ForwardResult> {
    const { logprobs } = await computeOutputs(this.pass(model.weights, rows, context));
    return { logprobs };
  }

  private async accumulate(
    model: LiveModel,
    rows: readonly TrainingRow[],
    context: CallContext & { readonly withEntropies?: boolean },
    stage: LossStage,
  ): Promise<ForwardResult> {
    const pass = this.pass(model.weights, rows, context);
    const { withEntropies = false } = context;
    const { logprobs } = await accumulateGradients({ ...pass, withEntropies }, model.gradients, stage);
    return { logprobs };
  }

  private publish(entry: Entry, trainable: boolean): PolicyVersion {
    const { heap } = this.library.executor;
    entry.versionCount += 1;
    const weights = copyBlock(heap, entry.model.weights);
    const version: PolicyVersion = {
      modelId: entry.id,
      number: entry.versionCount,
      address: `embedded:${entry.id}/${entry.versionCount}`,
      digest: digestBlock(heap, weights),
    };
    this.versions.add(version.address, { weights, trainable, tokenizer: entry.model.tokenizer });
    return version;
  }

  private async onVersion<T>(
    address: string,
    rows: Pass["rows"],
    context: CallContext,
    action: (pass: Pass) => Promise<T>,
  ): Promise<T> {
    const version = this.versions.find(address);
    return this.versions.hold(version, () =>
      this.compute.add(() => action(this.pass(version.weights, rows, context))),
    );
  }

  private pass(weights: Pass["weights"], rows: Pass["rows"], { signal }: CallContext): Pass {
    return { library: this.library, weights, rows, breathe: () => breathe(signal) };
  }
}

function withoutTargets(tokens: Int32Array): Pass["rows"][number] {
  return { tokens, targets: new Int32Array(tokens.length) };
}

/** The input is left out: the loss does not read it. */
function toDatum({ tokens: _tokens, ...row }: TrainingRow): Datum {
  return { input: [], ...row };
}
