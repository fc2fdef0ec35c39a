/** What a run does at most, in numbers, before it starts. Arithmetic on options; opens no model and no sandbox. */
import { activationBytesOf, parameterCountOf } from "spar/contract";
import type { Plan, PlanLine } from "spar/train";
import { listContextLength, listSymbols } from "./list-world.ts";
import type { AbsoluteZeroOptions } from "./options.ts";

/** What a turn of a short reply takes in the run folder, with its place in the indices; text and ids beyond, per token. */
const recordBytesPerTurn = 200;
const recordBytesPerToken = 8;
/** A task of the list world, as JSON in the result of a round. */
const bytesPerTask = 400;

export interface StepWork {
  readonly proposals: number;
  readonly rollouts: number;
  readonly answers: number;
  /** Rows of the update: proposals and answers. */
  readonly rows: number;
  /** Programs that are run: a proposal twice, for induction twice per input; answers once, or once per hidden case. */
  readonly executions: number;
  readonly sampledTokens: number;
}

/** Of one step, at most: where every proposal is valid. */
export function stepWork(options: AbsoluteZeroOptions): StepWork {
  const { taskTypes, batchSize, rolloutCount, inputCount, maxReplyTokens } = options;
  const proposals = taskTypes.length * batchSize;
  const rollouts = proposals * rolloutCount;
  const hidden = inputCount - Math.floor(inputCount / 2);
  const executions = taskTypes.reduce((sum, type) => {
    const isInduction = type === "induction";
    const validation = 2 * (isInduction ? inputCount : 1);
    const judging = (rolloutCount + 1) * (isInduction ? hidden : 1);
    return sum + batchSize * (validation + judging);
  }, 0);
  return {
    proposals,
    rollouts,
    answers: proposals,
    rows: 2 * proposals,
    executions,
    sampledTokens: (2 * proposals + rollouts) * maxReplyTokens,
  };
}

export function planAbsoluteZero(options: AbsoluteZeroOptions): Plan {
  const { stepCount, stepsPerRound, controls, baseModel, warmUp, world } = options;
  const work = stepWork(options);
  const runs = 1 + controls.length;
  const isScratch = baseModel === "";
  const contextLength = isScratch
    ? listContextLength(options)
    : options.maxPromptTokens + options.maxReplyTokens;
  const lines: PlanLine[] = [
    { name: "model", value: modelName(options) },
    ...(world === "lists"
      ? [{ name: "warm-up", value: warmUp.updates, unit: `updates of ${warmUp.rowsPerUpdate} rows` }]
      : []),
    { name: "seeds", value: options.batchSize * options.seeding.factor, unit: "tasks of each type at most" },
    { name: "steps", value: stepCount, unit: `with one update each, saved every ${stepsPerRound}` },
    {
      name: "rows of an update",
      value: work.rows,
      unit: `${work.proposals} proposals and ${work.answers} answers`,
    },
    {
      name: "rollouts of a step",
      value: work.rollouts,
      unit: `${options.rolloutCount} for each valid proposal`,
    },
    { name: "executions of a step", value: work.executions, unit: "at most, fewer where answers are equal" },
    { name: "tokens sampled in a step", value: work.sampledTokens, unit: "at most" },
    {
      name: "tokens sampled",
      value: work.sampledTokens * stepCount * runs,
      unit: `at most, in ${stepCount * runs} steps`,
    },
    ...controls.map((kind) => ({ name: `control: ${kind}`, value: stepCount, unit: "steps" })),
    {
      name: "a crash costs at most",
      value: stepsPerRound,
      unit: "updates, whose replies are kept and not drawn again",
    },
  ];
  const turns = (work.rows + work.rollouts) * stepCount * runs;
  return {
    lines,
    steps: [
      ...(world === "lists" ? ["warm-up", "evaluate"] : ["start"]),
      "seeds",
      `self-play: ${Math.ceil(stepCount / stepsPerRound)} rounds of ${stepsPerRound} steps`,
      ...controls.map((kind) => `control ${kind}: as many rounds`),
    ],
    memoryBytes: memoryOf(options, contextLength, work),
    diskBytes:
      turns * (recordBytesPerTurn + recordBytesPerToken * Math.min(contextLength, 64)) +
      stepCount * runs * work.proposals * bytesPerTask,
    inputs: [
      ...new Set(
        [baseModel, options.tokenizerFolder].filter((name) => name.startsWith(".") || name.startsWith("/")),
      ),
    ],
  };
}

function memoryOf(options: AbsoluteZeroOptions, contextLength: number, { rows }: StepWork): number | null {
  const {
    baseModel,
    architecture,
    controls,
    baseModelParameterCount,
    baseModelBytesPerParameter,
    maxRowsPerCall,
  } = options;
  if (baseModel !== "")
    return baseModelParameterCount === 0 ? null : baseModelParameterCount * baseModelBytesPerParameter;
  const sizes = { ...architecture, vocabularySize: listSymbols.length + 2, contextLength };
  const models = 1 + controls.length;
  const trained = { count: Math.min(rows, maxRowsPerCall), tokens: contextLength };
  return models * 4 * 4 * parameterCountOf(sizes) + activationBytesOf(architecture, trained);
}

function modelName({ baseModel, architecture }: AbsoluteZeroOptions): string {
  if (baseModel !== "") return baseModel;
  const { width, layerCount, headCount } = architecture;
  return `from scratch: width ${width}, ${layerCount} layers, ${headCount} heads`;
}
