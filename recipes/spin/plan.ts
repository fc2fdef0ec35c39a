/** What a run of SPIN will do, in numbers, before it starts. */
import type { Plan, PlanLine } from "spar/train";
import type { SpinOptions } from "./options.ts";
import { isFolderName, isRemote, isShipped, tokenizerFolderOf } from "./sources.ts";
import { diskBytes, memoryBytes } from "./sizes.ts";
import { workOf, type SpinCounts, type SpinWork } from "./work.ts";

/** The plan for data of this size; quantities that depend on a size that is not known are left out. */
export function planSpin(options: SpinOptions, counts: SpinCounts): Plan {
  const { promptCount, firstPairCount } = counts;
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
    {
      name: "tokens per update",
      value: 2 * options.pairsPerUpdate * options.maxSequenceTokens,
      unit: `at most: ${count(2 * options.pairsPerUpdate)} rows of ${count(options.maxSequenceTokens)}`,
    },
    ...(work === null ? [] : workLines(options, work)),
    { name: "model", value: modelName(options) },
  ];
  return {
    lines,
    steps: stepNames(options),
    memoryBytes: memoryBytes(options, counts.baseModel),
    diskBytes: promptCount === null ? null : diskBytes(options, promptCount, counts.baseModel),
    inputs: inputsOf(options),
    inputHints: hintsOf(options),
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
function inputsOf(options: SpinOptions): string[] {
  const { data, firstPairs, baseModel } = options;
  const folders = [baseModel, tokenizerFolderOf(options)].filter(isFolderName);
  return [
    ...(isShipped(data) ? [] : [data]),
    ...(firstPairs === "" ? [] : [firstPairs]),
    ...new Set(folders),
  ];
}

/** How to get a model, where its folder is not there. */
function hintsOf({ baseModel }: SpinOptions): Record<string, string> {
  if (!isFolderName(baseModel)) return {};
  const hint =
    "the folder of a model in the hub's format; recipes/spin/README.md says how to make ./smollm2 from a package, --set baseModel=./folder names another";
  return { [baseModel]: hint };
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
