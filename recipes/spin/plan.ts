/** What a run of SPIN will do, in numbers, before it starts. */
import type { Plan, PlanLine } from "spar/train";
import { isFolderName, type SpinOptions } from "./options.ts";

/** Updates of one epoch: the last batch may be smaller. */
export function updatesPerEpoch(pairCount: number, pairsPerUpdate: number): number {
  return Math.ceil(pairCount / pairsPerUpdate);
}

/**
 * Pairs of an iteration: one per prompt and iterate in the window; the first iteration has only its
 * own answers.
 *
 * @paper arXiv:2401.01335v3 sec. 6.1
 */
export function pairsOfIteration(promptCount: number, iteration: number, opponentWindow: number): number {
  return promptCount * Math.min(iteration + 1, opponentWindow);
}

/** The plan for a given number of training prompts. */
export function planSpin(options: SpinOptions, promptCount: number): Plan {
  const { iterationCount } = options;
  // From the last one on all iterations are alike, however many there are.
  const iterations = Array.from(
    { length: Math.min(iterationCount, options.opponentWindow) },
    (_, iteration) => {
      const pairs = pairsOfIteration(promptCount, iteration, options.opponentWindow);
      const perEpoch = updatesPerEpoch(pairs, options.pairsPerUpdate);
      const count = iteration === options.opponentWindow - 1 ? iterationCount - iteration : 1;
      return { iteration, count, pairs, perEpoch, updates: perEpoch * options.epochsPerIteration };
    },
  );
  const updateCount = iterations.reduce((sum, { count, updates }) => sum + count * updates, 0);
  const generatedTokens = promptCount * options.maxAnswerTokens * options.iterationCount;
  const trainedTokens = iterations.reduce(
    (sum, { count, pairs }) =>
      sum + count * 2 * pairs * options.maxSequenceTokens * options.epochsPerIteration,
    0,
  );
  const scheduleEpochs = options.scheduleEpochs === 0 ? options.epochsPerIteration : options.scheduleEpochs;
  const warmUpUpdates = options.warmUp.epochs * updatesPerEpoch(promptCount, options.warmUp.rowsPerUpdate);
  const lines: PlanLine[] = [
    { name: "training prompts", value: promptCount },
    { name: "held-out prompts", value: options.heldOutCount },
    {
      name: "warm-up updates",
      value: warmUpUpdates,
      unit: `of ${options.warmUp.rowsPerUpdate} rows`,
    },
    { name: "iterations", value: iterationCount },
    ...iterations.map(({ iteration, pairs, perEpoch }) => ({
      name: iteration === 0 ? "iteration 0" : `iteration ${iteration} and later`,
      value: perEpoch,
      unit: `updates per epoch (${pairs} pairs, ${options.pairsPerUpdate} per update)`,
    })),
    {
      name: "epochs per iteration",
      value: options.epochsPerIteration,
      unit: `of a schedule made for ${scheduleEpochs}`,
    },
    {
      name: "self-play updates",
      value: updateCount,
      ...(options.dropEqualAnswers ? { unit: "at most; equal pairs are dropped" } : {}),
    },
    { name: "peak learning rates", value: perIterationList(options.learningRates, iterationCount) },
    { name: "betas", value: perIterationList(options.betas, iterationCount) },
    { name: "tokens generated", value: generatedTokens, unit: "at most" },
    { name: "tokens trained", value: trainedTokens, unit: "at most" },
    {
      name: "a crash costs at most",
      value: Math.max(warmUpUpdates, ...iterations.map(({ updates }) => updates)),
      unit: "updates: those of one step, which are repeated",
    },
    { name: "model", value: modelName(options) },
  ];
  return {
    lines,
    steps: stepNames(options),
    memoryBytes: memoryBytes(options),
    diskBytes: diskBytes(options, promptCount),
    inputs: inputsOf(options),
  };
}

/** What the run reads that does not come with spar. */
function inputsOf({ data, firstPairs, baseModel }: SpinOptions): string[] {
  return [
    ...(data === "gsm8k-annotations" ? [] : [data]),
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
