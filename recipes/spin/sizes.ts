/**
 * What a run of SPIN takes of memory and disk, for the plan. Estimates: a warning comes from them, no refusal. The
 * reference needs no second model, since its log-probabilities are computed once per pair.
 */
import { activationBytesOf, parameterCountOf } from "spar/contract";
import type { BaseModelSizes } from "./base-model.ts";
import type { SpinOptions } from "./options.ts";

/** Different characters of problems of arithmetic: the data are not read for a plan. */
const usualCharacterCount = 64;

function scratchParameterCount({ architecture, maxSequenceTokens }: SpinOptions): number {
  return parameterCountOf({
    ...architecture,
    vocabularySize: usualCharacterCount,
    contextLength: maxSequenceTokens,
  });
}

/** Null where nobody tells it. */
function parameterCount(options: SpinOptions, sizes: BaseModelSizes | null): number | null {
  if (options.baseModel === "") return scratchParameterCount(options);
  if (options.baseModelParameterCount > 0) return options.baseModelParameterCount;
  return sizes?.parameterCount ?? null;
}

function momentCount(options: SpinOptions): number {
  return options.optimizer === "adamw" ? 2 : 1;
}

/**
 * Weights, gradients and optimizer state, and the larger of what one update and what answering needs besides. From
 * scratch everything is float32. Of a base model those two are left out where its sizes are not known; trained
 * wholly, it is counted with float32 master weights and moments.
 */
export function memoryBytes(options: SpinOptions, sizes: BaseModelSizes | null): number | null {
  const parameters = parameterCount(options, sizes);
  if (parameters === null) return null;
  if (options.baseModel === "") return parameters * 4 * (2 + momentCount(options)) + activationBytes(options);
  const bytes = options.baseModelBytesPerParameter;
  const besides = sizes === null ? 0 : Math.max(callBytes(options, sizes), cacheBytes(options, sizes));
  const held = processBytes + besides;
  if (options.loraRank === 0) return parameters * (2 * bytes + 4 + 4 * momentCount(options)) + held;
  const adapters = sizes === null ? 0 : adapterCount(options, sizes);
  return parameters * bytes + adapters * 4 * (2 + momentCount(options)) + held;
}

/** Of one update: the references and the answers, or the rows of the warm-up. */
function activationBytes({ architecture, ...options }: SpinOptions): number {
  const count = Math.max(options.warmUp.rowsPerUpdate, 2 * options.pairsPerUpdate);
  return activationBytesOf(architecture, { count, tokens: options.maxSequenceTokens });
}

/** Python with PyTorch and transformers, before there is a model. */
const processBytes = 600e6;

/** Positions whose activations our worker holds until it is told the gradients of a loss; longer calls take two passes. */
const heldPositions = 8192;

/**
 * The same for a base model: 25 values per unit of width with norms and a gated feed-forward, and the scores over the
 * vocabulary once. Fits what our worker was measured to hold; rows are counted at their full length, so it is a bound.
 */
function callBytes(options: SpinOptions, sizes: BaseModelSizes): number {
  const { width, layerCount, headCount, vocabularySize } = sizes;
  const { maxSequenceTokens, maxRowsPerCall, baseModelBytesPerParameter } = options;
  const positions = Math.min(heldPositions, maxRowsPerCall * maxSequenceTokens);
  const ofLayer = 25 * width + 2.5 * headCount * maxSequenceTokens;
  return positions * (layerCount * ofLayer * baseModelBytesPerParameter + vocabularySize * 4);
}

/** Keys and values of all answers that are sampled at once. */
function cacheBytes(options: SpinOptions, { layerCount, keyWidth }: BaseModelSizes): number {
  const positions = options.concurrency * options.maxSequenceTokens;
  return positions * layerCount * 2 * keyWidth * options.baseModelBytesPerParameter;
}

/** Adapters on every linear layer. */
function adapterCount({ loraRank }: SpinOptions, { linearLayers }: BaseModelSizes): number {
  return linearLayers.reduce((sum, [inputs, outputs]) => sum + loraRank * (inputs + outputs), 0);
}

/** What an answer takes in the run folder beside its tokens: episode and turn. */
const recordBytesPerAnswer = 300;
const recordBytesPerToken = 8;

/** Every iterate is kept with its optimizer, of controls likewise, and every answer is on record. */
export function diskBytes(
  options: SpinOptions,
  promptCount: number,
  sizes: BaseModelSizes | null,
): number | null {
  const { loraRank, iterationCount, controls, maxSequenceTokens } = options;
  const isAdapter = options.baseModel !== "" && loraRank > 0;
  const adapters = sizes === null ? null : adapterCount(options, sizes);
  const parameters = isAdapter ? adapters : parameterCount(options, sizes);
  if (parameters === null || (options.baseModel === "" && loraRank > 0)) return null;
  const weightBytes = isAdapter || options.baseModel === "" ? 4 : options.baseModelBytesPerParameter;
  const modelCount = 1 + iterationCount * (1 + controls.length);
  const answerBytes = recordBytesPerAnswer + recordBytesPerToken * maxSequenceTokens;
  return (
    modelCount * parameters * (weightBytes + 4 * momentCount(options)) +
    promptCount * iterationCount * answerBytes
  );
}
