/** Makes models from each kind of source, and brings a saved state into a model that is alive. */
import { engineError, type Tuning } from "../../../contract/index.ts";
import type { SharedHeap } from "../executor/heap.ts";
import { resolveShape, shapeKey } from "../model/layout.ts";
import { LiveModel } from "../training/live-model.ts";
import { loadBase } from "../weights/export-model.ts";
import { loadState, type LoadedState } from "../weights/model-state.ts";
import {
  copyWithHead,
  initialiseBlock,
  newBlock,
  viewBlock,
  type WeightBlock,
} from "../weights/weight-store.ts";
import type { ArgumentsOf } from "./protocol.ts";
import type { VersionStore } from "./version-store.ts";

interface Surroundings {
  readonly heap: SharedHeap;
  readonly versions: VersionStore;
}

export async function createLiveModel(
  given: ArgumentsOf<"createModel">,
  { heap, versions }: Surroundings,
): Promise<LiveModel> {
  const { from, tokenizer } = given;
  const tuning = given.tuning ?? { kind: "full" };
  const head = given.head ?? "policy";
  checkTuning(tuning, head);
  switch (from.kind) {
    case "architecture": {
      if (!Number.isSafeInteger(from.seed))
        throw engineError("invalid-input", `seed: expected an integer, got ${from.seed}`);
      const weights = newBlock(heap, resolveShape(from.architecture, head));
      initialiseBlock(heap, weights, from.seed);
      return new LiveModel({ heap, weights, tuning, tokenizer });
    }
    case "version": {
      const version = versions.find(from.version.address);
      if (!version.trainable) {
        throw engineError(
          "invalid-input",
          `expected a version that was published as trainable, got ${from.version.address}`,
          {
            hint: "publish with { trainable: true }",
          },
        );
      }
      const weights = copyWithHead(heap, version.weights, head);
      return new LiveModel({ heap, weights, tuning, tokenizer: tokenizer ?? version.tokenizer });
    }
    case "saved": {
      const state = await loadState(from.folder, heap);
      return modelFromState(state, { heap, given, includeOptimizer: from.includeOptimizer ?? true });
    }
    case "base": {
      const base = await loadBase(from.nameOrFolder, heap);
      const weights = copyInstead(base.weights, {
        heap,
        head,
        release: () => heap.free(base.weights.address),
      });
      return new LiveModel({ heap, weights, tuning, tokenizer: tokenizer ?? base.tokenizer });
    }
  }
}

/** Replaces everything that is trained, and drops gradients. */
export function restoreState(
  model: LiveModel,
  state: LoadedState,
  options: { readonly folder: string; readonly includeOptimizer: boolean },
): void {
  const { heap } = model;
  try {
    const isSame =
      shapeKey(state.weights.shape) === shapeKey(model.weights.shape) &&
      sameTuning(state.tuning, model.tuning);
    if (!isSame) {
      throw engineError(
        "state-unreadable",
        `expected a saved model of the same architecture and tuning, got ${options.folder}`,
        {
          hint: "make a new model from the folder instead",
        },
      );
    }
    const base = model.adapterState?.base ?? model.weights;
    viewBlock(heap, base).set(viewBlock(heap, state.weights));
  } finally {
    heap.free(state.weights.address);
  }
  takeTraining(model, state, options.includeOptimizer);
}

function modelFromState(
  state: LoadedState,
  {
    heap,
    given,
    includeOptimizer,
  }: { heap: SharedHeap; given: ArgumentsOf<"createModel">; includeOptimizer: boolean },
): LiveModel {
  const tokenizer = given.tokenizer ?? state.tokenizer;
  const saved = new LiveModel({ heap, weights: state.weights, tuning: state.tuning, tokenizer });
  takeTraining(saved, state, includeOptimizer);
  const savedHead = state.weights.shape.hasValueHead ? "value" : "policy";
  const { tuning = state.tuning, head = savedHead } = given;
  if (sameTuning(tuning, state.tuning) && head === savedHead) return saved;
  // Another tuning or head starts from what the saved model computes with: its adapters are merged.
  const weights = copyInstead(saved.weights, { heap, head, release: () => saved.release() });
  return new LiveModel({ heap, weights, tuning, tokenizer });
}

/** The original goes, also where there is no room for the copy. */
function copyInstead(
  block: WeightBlock,
  { heap, head, release }: { heap: SharedHeap; head: "policy" | "value"; release: () => void },
): WeightBlock {
  try {
    return copyWithHead(heap, block, head);
  } finally {
    release();
  }
}

function takeTraining(model: LiveModel, state: LoadedState, includeOptimizer: boolean): void {
  if (model.adapterState !== undefined && state.trained !== undefined)
    model.adapterState.trained = state.trained;
  model.optimizer = includeOptimizer ? state.optimizer : undefined;
  model.stepCount = state.stepCount;
  model.gradients.clear();
  model.refresh();
}

/** The seed only chose the first adapters, which the saved ones replace. */
function sameTuning(one: Tuning, other: Tuning): boolean {
  if (one.kind === "full" || other.kind === "full") return one.kind === other.kind;
  return one.rank === other.rank && one.alpha === other.alpha;
}

function checkTuning(tuning: Tuning, head: "policy" | "value"): void {
  if (tuning.kind === "full") return;
  if (head === "value") {
    throw engineError("invalid-input", "expected full tuning for a model with a value head, got lora", {
      hint: "leave tuning out: adapters would leave the new head as it is",
    });
  }
  const { rank, alpha, seed } = tuning;
  if (!Number.isSafeInteger(rank) || rank < 1)
    throw engineError("invalid-input", `lora rank: expected a positive integer, got ${rank}`);
  if (!Number.isFinite(alpha) || alpha <= 0)
    throw engineError("invalid-input", `lora alpha: expected a positive number, got ${alpha}`);
  if (!Number.isSafeInteger(seed))
    throw engineError("invalid-input", `lora seed: expected an integer, got ${seed}`);
}
