/**
 * What the engine's thread does with each call: order per model, one computation at a time, versions. The arithmetic
 * is in `training/` and `sampler/`; messages and threads are `engine-thread.ts`.
 */
import { abortedError, present, SerialQueue } from "../../../base/index.ts";
import {
  engineError,
  referenceLoss,
  type Datum,
  type ForwardBackwardResult,
  type ForwardResult,
  type PolicyVersion,
} from "../../../contract/index.ts";
import { Executor } from "../executor/executor.ts";
import { ProgramLibrary } from "../executor/program-library.ts";
import { BatchSampler } from "../sampler/batch-sampler.ts";
import {
  accumulateGradients,
  computeLogprobs,
  type LossStage,
  type Pass,
} from "../training/gradient-pass.ts";
import type { LiveModel } from "../training/live-model.ts";
import { exportModel } from "../weights/export-model.ts";
import { loadState, saveState } from "../weights/model-state.ts";
import { copyBlock, digestBlock } from "../weights/weight-store.ts";
import { createLiveModel, restoreState } from "./create-live-model.ts";
import type {
  ArgumentsOf,
  EngineCallName,
  EngineThreadData,
  ModelFacts,
  ResultOf,
  TrainingRow,
} from "./protocol.ts";
import { VersionStore } from "./version-store.ts";

export interface CallContext {
  readonly signal: AbortSignal;
  /** Null when the call was given up meanwhile. */
  askForGradients(logprobs: readonly Float32Array[]): Promise<readonly Float64Array[] | null>;
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

  constructor({ threadCount }: EngineThreadData) {
    this.library = new ProgramLibrary(new Executor({ threads: threadCount }));
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
    const { heap } = this.library.executor;
    return {
      createModel: (given) => this.createModel(given),
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
              return present(evaluation.gradients.logprobs, "the gradient of a built-in loss");
            },
          });
          return { logprobs, loss: value, metrics: {} } satisfies ForwardBackwardResult;
        }),
      forwardBackwardCustom: ({ modelId, rows }, context) =>
        this.inOrder(modelId, context, ({ model }) =>
          this.accumulate(model, rows, context, {
            kind: "whole",
            evaluate: async (logprobs) => {
              const gradients = await context.askForGradients(logprobs);
              if (gradients === null) throw abortedError({ boundary: "engine", what: "a custom loss" });
              return gradients;
            },
          }),
        ),
      optimStep: ({ modelId, parameters }, context) =>
        this.inOrder(modelId, context, async ({ model }) => model.step(parameters)),
      discardGradients: ({ modelId }, context) =>
        this.inOrder(modelId, context, async ({ model }) => {
          model.gradients.clear();
          return null;
        }),
      publish: ({ modelId, trainable }, context) =>
        this.inOrder(modelId, context, async (entry) => this.publish(entry, trainable)),
      save: ({ modelId, folder }, context) =>
        this.inOrder(modelId, context, ({ model }) => saveState(folder, model)),
      load: ({ modelId, folder, includeOptimizer }, context) =>
        this.inOrder(modelId, context, async ({ model }) => {
          const state = await loadState(folder, heap);
          restoreState(model, state, { folder, includeOptimizer });
          return null;
        }),
      export: ({ modelId, folder }, context) =>
        this.inOrder(modelId, context, async ({ model }) => {
          await exportModel(folder, model);
          return null;
        }),
      releaseModel: ({ modelId }, context) =>
        this.inOrder(modelId, context, async ({ model }) => {
          this.entries.delete(modelId);
          model.release();
          return null;
        }),
      sample: (given, { signal }) => this.sampler.sample(this.versions.find(given.address), given, signal),
      computeLogprobs: ({ address, inputs }, context) => this.scoreVersion(address, inputs, context),
      releaseVersion: async ({ address }) => {
        this.versions.release(address);
        return null;
      },
      measureMemory: async () => ({ tensorBytes: heap.usedBytes }),
    };
  }

  /** Runs when all earlier calls on the model have settled and nothing else computes. */
  private inOrder<T>(
    modelId: string,
    { signal }: CallContext,
    action: (entry: Entry) => Promise<T>,
  ): Promise<T> {
    const entry = this.entries.get(modelId);
    if (entry === undefined)
      throw engineError("model-released", `expected a live model, ${modelId} was released`);
    return entry.queue.add(() =>
      this.compute.add(async () => {
        if (signal.aborted) throw abortedError({ boundary: "engine", what: "a call on the embedded engine" });
        return action(entry);
      }),
    );
  }

  private async createModel(given: ArgumentsOf<"createModel">): Promise<ModelFacts> {
    const { library, versions } = this;
    const model = await this.compute.add(() =>
      createLiveModel(given, { heap: library.executor.heap, versions }),
    );
    this.modelCount += 1;
    const id = `${given.name}-${this.modelCount}`;
    this.entries.set(id, { id, model, queue: new SerialQueue(), versionCount: 0 });
    const { contextLength, vocabularySize } = model.weights.shape;
    const { parameterCount, trainableParameterCount } = model;
    const hasTokenizer = model.tokenizer !== undefined;
    return { id, contextLength, vocabularySize, parameterCount, trainableParameterCount, hasTokenizer };
  }

  private async forward(
    model: LiveModel,
    rows: readonly TrainingRow[],
    context: CallContext,
  ): Promise<ForwardResult> {
    return { logprobs: await computeLogprobs(this.pass(model.weights, rows, context)) };
  }

  private async accumulate(
    model: LiveModel,
    rows: readonly TrainingRow[],
    context: CallContext,
    stage: LossStage,
  ): Promise<ForwardResult> {
    const pass = this.pass(model.weights, rows, context);
    return { logprobs: await accumulateGradients(pass, model.gradients, stage) };
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

  /** Every position but the last predicts the next one; a prompt of one position has nothing to score. */
  private async scoreVersion(
    address: string,
    inputs: readonly Int32Array[],
    context: CallContext,
  ): Promise<Float32Array[]> {
    const version = this.versions.find(address);
    const rows = inputs.map((ids) => ({ tokens: ids.slice(0, -1), targets: ids.slice(1) }));
    return this.versions.hold(version, () =>
      this.compute.add(() => computeLogprobs(this.pass(version.weights, rows, context))),
    );
  }

  private pass(weights: Pass["weights"], rows: Pass["rows"], { signal }: CallContext): Pass {
    const breathe = async (): Promise<void> => {
      await new Promise<void>((resolve) => setImmediate(resolve));
      if (signal.aborted) throw abortedError({ boundary: "engine", what: "a call on the embedded engine" });
    };
    return { library: this.library, weights, rows, breathe };
  }
}

/** The input is left out: the loss does not read it. */
function toDatum({ tokens: _tokens, ...row }: TrainingRow): Datum {
  return { input: [], ...row };
}
