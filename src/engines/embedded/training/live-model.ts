/**
 * A model that is being trained: effective weights in shared memory, what is trained (all of them, or adapters),
 * the optimizer and the gradient that has accumulated. Knows no queue, no versions and no files.
 */
import {
  clippingFactor,
  engineError,
  l2Norm,
  parameterCountOf,
  type OptimizerParameters,
  type OptimStepResult,
  type TokenizerDefinition,
  type Tuning,
} from "../../../contract/index.ts";
import type { SharedHeap } from "../executor/heap.ts";
import {
  adapterGradients,
  adapterLength,
  initialiseAdapters,
  listAdapters,
  mergeAdapters,
  type Adapter,
} from "../model/adapters.ts";
import { architectureOf } from "../model/layout.ts";
import { copyBlock, viewBlock, type WeightBlock } from "../weights/weight-store.ts";
import { GradientBuffer } from "./gradient-buffer.ts";
import { applyOptimizer, newOptimizerState, type OptimizerState } from "./optimizers.ts";

export interface AdapterState {
  readonly settings: Extract<Tuning, { kind: "lora" }>;
  readonly adapters: readonly Adapter[];
  /** The weights below the adapters. */
  readonly base: WeightBlock;
  trained: Float32Array;
}

export interface LiveModelParts {
  readonly heap: SharedHeap;
  /** Owned by the model from now on, and freed where it cannot be made. With adapters: the weights below them. */
  readonly weights: WeightBlock;
  readonly tuning: Tuning;
  readonly tokenizer: TokenizerDefinition | undefined;
}

export class LiveModel {
  readonly heap: SharedHeap;
  readonly weights: WeightBlock;
  readonly tuning: Tuning;
  readonly tokenizer: TokenizerDefinition | undefined;
  readonly adapterState: AdapterState | undefined;
  readonly gradients: GradientBuffer;
  optimizer: OptimizerState | undefined;
  stepCount = 0;

  constructor(parts: LiveModelParts) {
    const { heap, weights, tuning } = parts;
    this.heap = heap;
    this.weights = weights;
    this.tuning = tuning;
    this.tokenizer = parts.tokenizer;
    try {
      [this.gradients, this.adapterState] = heap.together(() => [
        new GradientBuffer(heap, weights.shape),
        newAdapterState(heap, weights, tuning),
      ]);
    } catch (thrown) {
      heap.free(weights.address);
      throw thrown;
    }
  }

  get parameterCount(): number {
    const { shape } = this.weights;
    const base = parameterCountOf(architectureOf(shape), shape.hasValueHead ? "value" : "policy");
    return base + (this.adapterState?.trained.length ?? 0);
  }

  get trainableParameterCount(): number {
    return this.adapterState?.trained.length ?? this.parameterCount;
  }

  /** Length of what the optimizer works on, gaps included. */
  get trainedLength(): number {
    const { adapterState } = this;
    if (adapterState === undefined) return this.weights.length;
    return adapterLength(adapterState.adapters, adapterState.settings.rank);
  }

  /** Brings effective weights up to date with the adapters. */
  refresh(): void {
    const { adapterState } = this;
    if (adapterState === undefined) return;
    mergeAdapters(adapterState.adapters, adapterState.settings, {
      base: viewBlock(this.heap, adapterState.base),
      trained: adapterState.trained,
      effective: viewBlock(this.heap, this.weights),
    });
  }

  /** @throws `invalid-input` without gradients */
  step(parameters: OptimizerParameters): OptimStepResult {
    if (this.gradients.isEmpty) {
      throw engineError("invalid-input", "expected gradients to apply, none have accumulated", {
        hint: "call forwardBackward before optimStep",
      });
    }
    const gradients = this.trainedGradients();
    const gradientNorm = l2Norm(gradients);
    const isContinued = this.optimizer?.kind === parameters.kind;
    const state =
      isContinued && this.optimizer !== undefined
        ? this.optimizer
        : newOptimizerState(parameters.kind, this.trainedLength);
    const weights = this.adapterState?.trained ?? viewBlock(this.heap, this.weights);
    applyOptimizer(parameters, {
      weights,
      gradients,
      state,
      scale: clippingFactor(gradientNorm, parameters.clipGradientNorm),
    });
    this.optimizer = state;
    this.stepCount += 1;
    this.gradients.clear();
    this.refresh();
    return { gradientNorm, stepCount: this.stepCount };
  }

  release(): void {
    this.gradients.release();
    this.heap.free(this.weights.address);
    if (this.adapterState !== undefined) this.heap.free(this.adapterState.base.address);
  }

  private trainedGradients(): Float32Array<ArrayBufferLike> {
    const effectiveGradient = this.gradients.view();
    const { adapterState } = this;
    if (adapterState === undefined) return effectiveGradient;
    const { adapters, settings, trained } = adapterState;
    return adapterGradients(adapters, settings, { effectiveGradient, trained });
  }
}

function newAdapterState(heap: SharedHeap, weights: WeightBlock, tuning: Tuning): AdapterState | undefined {
  if (tuning.kind === "full") return undefined;
  const adapters = listAdapters(weights.leaves, tuning.rank);
  const trained = initialiseAdapters(adapters, tuning.rank, tuning.seed);
  return { settings: tuning, adapters, base: copyBlock(heap, weights), trained };
}
