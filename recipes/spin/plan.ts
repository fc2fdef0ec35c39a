/** What a run of SPIN will do, in numbers, before it starts. */
import type { Plan, PlanLine } from "spar/train";
import { isFolderName, isRemote, shippedData, type SpinOptions } from "./options.ts";
import { workOf, type SpinCounts, type SpinWork } from "./work.ts";

/** The plan for data of this size; quantities that depend on a size that is not known are left out. */
export function planSpin(options: SpinOptions, { promptCount, firstPairCount }: SpinCounts): Plan {
  const { iterationCount } = options;
  const work = promptCount === null ? null : workOf(options, promptCount, firstPairCount);
  const scheduleEpochs = options.scheduleEpochs === 0 ? options.epochsPerIteration : options.scheduleEpochs;
  const lines: PlanLine[] = [
    promptCount === null
      ? { name: "training prompts", value: "unknown until they are fetched; exampleCount sets a bound" }
      : {
          name: "training prompts",
          value: promptCount,
          ...(isRemote(options.data) ? { unit: "at most" } : {}),
        },
    {
      name: "held-out prompts",
      value: options.heldOutCount,
      ...(isRemote(options.data) ? { unit: "at most" } : {}),
    },
    { name: "iterations", value: iterationCount },
    {
      name: "epochs per iteration",
      value: options.epochsPerIteration,
      unit: `of a schedule made for ${scheduleEpochs}`,
    },
    { name: "peak learning rates", value: perIterationList(options.learningRates, iterationCount) },
    { name: "betas", value: perIterationList(options.betas, iterationCount) },
    ...(work === null ? [] : workLines(options, work)),
    { name: "model", value: modelName(options) },
  ];
  return {
    lines,
    steps: stepNames(options),
    memoryBytes: memoryBytes(options),
    diskBytes: promptCount === null ? null : diskBytes(options, promptCount),
    inputs: inputsOf(options),
  };
}

/** Updates and tokens. Pairs that are equal, and answers that end early, make them fewer. */
function workLines(options: SpinOptions, work: SpinWork): PlanLine[] {
  const { warmUp, iterations, selfPlay, controls, answerTokens, evaluationTokens } = work;
  const last = iterations.at(-1);
  const bound = options.dropEqualAnswers ? "at most; pairs of equal answers are dropped" : "at most";
  const trained = [warmUp, selfPlay, ...controls].reduce((sum, { tokens }) => sum + tokens, 0);
  const ofOneStep = [
    warmUp.updates,
    ...iterations.map(({ updates }) => updates),
    ...controls.map(({ updatesPerIteration }) => updatesPerIteration),
  ];
  return [
    { name: "warm-up", value: warmUp.updates, unit: `updates of ${options.warmUp.rowsPerUpdate} rows` },
    ...iterations.map((one) => ({
      name:
        iterations.length === 1
          ? "each iteration"
          : `iteration ${one.iteration}${one === last && one.count > 1 ? " and later" : ""}`,
      value: one.updatesPerEpoch,
      unit: `updates per epoch at most (${count(one.pairs)} pairs, ${options.pairsPerUpdate} per update)`,
    })),
    { name: "self-play, all iterations", value: selfPlay.updates, unit: `updates ${bound}` },
    ...controls.map(({ kind, updates }) => ({
      name: `control: fine-tuning, ${kind}`,
      value: updates,
      unit: "updates at most",
    })),
    {
      name: "tokens trained",
      value: trained,
      unit: `at most: ${[
        `warm-up ${count(warmUp.tokens)}`,
        `self-play ${count(selfPlay.tokens)}`,
        ...controls.map(({ kind, tokens }) => `${kind} ${count(tokens)}`),
      ].join(", ")}`,
    },
    {
      name: "tokens of answers",
      value: answerTokens + evaluationTokens,
      unit: `at most: to train on ${count(answerTokens)}, to evaluate ${count(evaluationTokens)}`,
    },
    {
      name: "a crash costs at most",
      value: Math.max(...ofOneStep),
      unit: "updates: those of one step, which are repeated",
    },
  ];
}

function count(quantity: number): string {
  return quantity.toLocaleString("en-US");
}

/** What the run reads that does not come with spar. */
function inputsOf({ data, firstPairs, baseModel }: SpinOptions): string[] {
  return [
    ...(data === shippedData ? [] : [data]),
    ...(firstPairs === "" ? [] : [firstPairs]),
    ...(isFolderName(baseModel) ? [baseModel] : []),
  ];
}

/** Values by iteration; the last one holds on. */
function perIterationList(values: readonly number[], iterationCount: number): string {
  const list = values.slice(0, iterationCount);
  if (new Set(list).size === 1) return `${list[0]} throughout`;
  return `${list.join(", ")}${list.length < iterationCount ? " from then on" : ""}`;
}

function modelName(options: SpinOptions): string {
  if (options.baseModel !== "") return options.baseModel;
  const { width, layerCount, headCount } = options.architecture;
  return `from scratch: width ${width}, ${layerCount} layers, ${headCount} heads`;
}

function stepNames(options: SpinOptions): string[] {
  const names = ["start", "evaluate"];
  names.push(`answer, train, evaluate: ${options.iterationCount} times`);
  for (const control of options.controls) names.push(`control: fine-tuning, ${control}, as many iterations`);
  return names;
}

/** Weights of a model from scratch: attention 4, feed-forward 8 matrices a layer, one embedding. */
function scratchParameterCount({ architecture: { width, layerCount } }: SpinOptions): number {
  return layerCount * 12 * width ** 2 + 64 * width;
}

function momentCount(options: SpinOptions): number {
  return options.optimizer === "adamw" ? 2 : 1;
}

/**
 * Weights, gradients and optimizer state; from scratch also the activations of one update. From scratch
 * everything is float32; a base model is counted in bfloat16 with float32 master weights and moments, and
 * without activations, which depend on checkpointing. The reference needs no second model: its
 * log-probabilities are computed once per pair.
 */
export function memoryBytes(options: SpinOptions): number | null {
  if (options.baseModel === "") {
    return scratchParameterCount(options) * 4 * (2 + momentCount(options)) + activationBytes(options);
  }
  if (options.baseModelParameterCount === 0) return null;
  if (options.loraRank > 0) return options.baseModelParameterCount * 2;
  return options.baseModelParameterCount * (2 + 2 + 4 + 4 * momentCount(options));
}

/**
 * The usual count for a transformer that keeps everything for the backward pass: for each position and
 * layer 17 values per unit of width, and 2.5 per head and position that is attended to.
 *
 * @paper arXiv:2205.05198 sec. 4.1 (34 and 5 bytes there, at two bytes a value)
 */
function activationBytes({ architecture, ...options }: SpinOptions): number {
  const rows = Math.max(options.warmUp.rowsPerUpdate, 2 * options.pairsPerUpdate);
  const positions = rows * options.maxSequenceTokens;
  const { width, layerCount, headCount } = architecture;
  const perPosition = 17 * width + 2.5 * headCount * options.maxSequenceTokens;
  return Math.round(positions * layerCount * perPosition * 4);
}

/** What an answer takes in the run folder beside its tokens: episode and turn. */
const recordBytesPerAnswer = 300;
const recordBytesPerToken = 8;

/** Every iterate is kept with its optimizer, of controls likewise, and every answer is on record. */
function diskBytes(options: SpinOptions, promptCount: number): number | null {
  const parameters =
    options.baseModel === "" ? scratchParameterCount(options) : options.baseModelParameterCount;
  if (parameters === 0 || options.loraRank > 0) return null;
  const bytesPerParameter = (options.baseModel === "" ? 4 : 2) + 4 * momentCount(options);
  const modelCount = 1 + options.iterationCount * (1 + options.controls.length);
  const answerBytes = recordBytesPerAnswer + recordBytesPerToken * options.maxSequenceTokens;
  return modelCount * parameters * bytesPerParameter + promptCount * options.iterationCount * answerBytes;
}
