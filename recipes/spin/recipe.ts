/**
 * SPIN: self-play fine-tuning (Chen, Deng, Yuan, Ji, Gu; arXiv:2401.01335v3). The model plays against
 * its previous iterate: the iterate answers every prompt of a fine-tuning set, the next one learns to
 * give the references a higher likelihood ratio than those answers, and becomes the next opponent.
 * No preferences, no reward model, no judge. Read beside algorithm 1 of the paper.
 */
import { canonicalJson, sha256, SparError, type JsonValue } from "spar/base";
import type { CreateModelOptions, PolicyVersion } from "spar/contract";
import { defineRecipe, type Policy, type Recipe, type Run } from "spar/train";
import { alarms } from "./alarms.ts";
import { runControl, type ControlResult } from "./control.ts";
import { evaluate, recordEvaluation, type Evaluation } from "./evaluate.ts";
import { dataRandom, loadTask, rendererOf, type SpinTask } from "./examples.ts";
import { warmUp } from "./fine-tuning.ts";
import { spinOptions, unusedOptions, type SpinOptions } from "./options.ts";
import { shippedAnnotations } from "./sources.ts";
import { answersOfFile, type AnsweredPrompt } from "./pairs.ts";
import { planSpin } from "./plan.ts";
import { spinPresets } from "./presets.ts";
import { checkSpin, countData, needsOfSpin } from "./requirements.ts";
import {
  answerPrompts,
  answerStepName,
  figuresOf,
  trainIteration,
  type AnswerFigures,
  type TrainingFigures,
} from "./self-play.ts";
import {
  comparison,
  drawSamples,
  gameTable,
  iterationRow,
  iterationTable,
  showSamples,
  type PlayedIteration,
} from "./show.ts";

export const recipe: Recipe<typeof spinOptions> = defineRecipe({
  id: "spin",
  title: "SPIN: self-play fine-tuning",
  paper: "arXiv:2401.01335v3",
  summary:
    "a model learns to tell references from its own former answers, and so becomes better at answering",
  version: 2,
  options: spinOptions,
  presets: spinPresets,
  check: checkSpin,
  needs: needsOfSpin,
  plan: async (options, random) => planSpin(options, await countData(options, random)),
  unusedOptions,
  renderer: rendererOf,
  examplePrompt: ({ data, annotations }) =>
    data === shippedAnnotations ? `12${annotations.operators[0] ?? "+"}4=` : null,
  run: runSpin,
});

async function runSpin(run: Run<SpinOptions>): Promise<JsonValue> {
  const { options } = run;
  const task = await loadTask(options, dataRandom(run.random), run.signal);
  const { firstPairs } = options;
  const given = firstPairs === "" ? null : await answersOfFile(firstPairs, task, run.signal);
  await checkData(run, task, given);

  // The main player. Its versions are the iterates: version 1 is the start, each iteration adds one.
  const model = modelOptions(run, task);
  const player = await run.model("player", model);
  const start = await run.step("start", { models: [player] }, async (step) => {
    if (options.warmUp.epochs > 0) {
      const updates = await warmUp(player, task, { options, step });
      step.metric("warm-up/loss", 0, updates.at(-1)?.loss ?? 0);
    }
    return player.publish();
  });
  const table = iterationTable(run.report, task);
  const startFigures = await measure(run, { name: "evaluate-start", index: 0, version: start, task });
  iterationRow(table, "start", startFigures, null);

  let opponent = start;
  let first: AnswerFigures | null = null;
  const played: PlayedIteration[] = [];
  for (let iteration = 0; iteration < options.iterationCount; iteration++) {
    const answers = await answer(run, { player, task, given, iteration, version: opponent });
    first ??= answers;
    if (answers.differentCount === 0 && options.dropEqualAnswers) {
      run.report.note(`Iteration ${iteration} answered every prompt with its reference: the game is over.`);
      break;
    }
    const trained = await train(run, { player, task, given, iteration, version: opponent });
    opponent = trained.version;
    const evaluated = await measure(run, {
      name: `evaluate-${iteration}`,
      index: iteration + 1,
      version: opponent,
      task,
    });
    iterationRow(table, String(iteration), evaluated, trained);
    const { precision } = run.engine.description;
    const seen = { start: startFigures, evaluated, first, answers, trained, precision };
    for (const message of alarms(options, iteration, seen)) run.report.note(message);
    played.push({ answers, trained, evaluated });
  }

  if (played.length > 0) gameTable(run.report, played);
  const controls: ControlResult[] = [];
  const iterations = played.map(({ trained }) => trained);
  for (const kind of played.length === 0 ? [] : options.controls)
    controls.push(await runControl(run, { kind, task, model, start, iterations }));
  comparison(run.report, { start: startFigures, played, controls });
  const versions = played.length === 0 ? [start] : [start, opponent];
  const samples = await run.step("samples", {}, async (step) => drawSamples(run, step, { task, versions }));
  showSamples(run.report, samples);
  return {
    start: startFigures,
    spin: played.at(-1)?.evaluated ?? null,
    controls: Object.fromEntries(controls.map(({ kind, figures: curve }) => [kind, curve.at(-1) ?? null])),
  };
}

// ---- One iteration ---------------------------------------------------------------------------------

interface IterationContext {
  readonly player: Policy;
  readonly task: SpinTask;
  /** Answers of iteration 0 that a file gave. */
  readonly given: readonly AnsweredPrompt[] | null;
  readonly iteration: number;
  /** The previous iterate: opponent, reference and starting point in one. */
  readonly version: PolicyVersion;
}

/** Algorithm 1, line 3: y' ~ p_theta_t(. | x) for every prompt, unless a file has the first ones. */
async function answer(
  run: Run<SpinOptions>,
  { task, given, iteration, version }: IterationContext,
): Promise<AnswerFigures> {
  const { options } = run;
  return run.step(answerStepName(iteration), {}, async (step) => {
    const answers =
      given !== null && iteration === 0
        ? figuresOf(given)
        : await answerPrompts(run, step, { task, version, contextLength: options.maxSequenceTokens });
    step.metric("answers/different/share", iteration, answers.differentCount / answers.answeredCount);
    step.metric("answers/cut/share", iteration, answers.cutCount / answers.answeredCount);
    step.metric("answers/tokens/mean", iteration, answers.meanTokens);
    return answers;
  });
}

/** Algorithm 1, line 5: theta_{t+1} minimises the pair loss against theta_t. */
async function train(
  run: Run<SpinOptions>,
  { player, task, given, iteration, version }: IterationContext,
): Promise<TrainingFigures> {
  return run.step(`train-${iteration}`, { models: [player] }, async (step) => {
    await player.restart(version);
    const trained = await trainIteration(run, step, { policy: player, task, given, iteration });
    const { pairCount, firstLoss, realReward, generatedReward, margin, rewardAccuracy, realShiftNats } =
      trained;
    step.metric("pairs/trained/count", iteration, pairCount);
    step.metric("pairs/loss/first", iteration, firstLoss);
    step.metric("pairs/realReward/mean", iteration, realReward);
    step.metric("pairs/generatedReward/mean", iteration, generatedReward);
    step.metric("pairs/margin/mean", iteration, margin);
    step.metric("pairs/accuracy/mean", iteration, rewardAccuracy);
    step.metric("pairs/realShiftNats/mean", iteration, realShiftNats);
    return trained;
  });
}

async function measure(
  run: Run<SpinOptions>,
  at: {
    readonly name: string;
    readonly index: number;
    readonly version: PolicyVersion;
    readonly task: SpinTask;
  },
): Promise<Evaluation> {
  const { options, engine } = run;
  return run.step(at.name, {}, async (step) => {
    const { version, task } = at;
    const evaluated = await evaluate({ engine, version, task, options, step });
    recordEvaluation(step, { heading: "held-out", index: at.index }, evaluated);
    return evaluated;
  });
}

// ---- Before the first step -------------------------------------------------------------------------

/** A resumed run must find the data that it began with. */
async function checkData(
  run: Run<SpinOptions>,
  task: SpinTask,
  given: readonly AnsweredPrompt[] | null,
): Promise<void> {
  const { cutCount, repeatedCount, tooLongCount } = task;
  const answers = given?.map(({ example, answerIds }) => [example.id, ...answerIds]);
  const digest = answers === undefined ? task.digest : sha256(canonicalJson([task.digest, answers]));
  const recorded = await run.step("data", {}, async () => ({
    digest,
    cutCount,
    trainingCount: task.training.length,
  }));
  if (cutCount > 0)
    run.report.note(`${cutCount} examples did not fit ${run.options.maxSequenceTokens} tokens and were cut.`);
  if (tooLongCount > 0)
    run.report.note(
      `${tooLongCount} references have more than maxAnswerTokens = ${run.options.maxAnswerTokens} tokens: an answer is cut before it could equal them.`,
    );
  if (repeatedCount > 0) run.report.note(`${repeatedCount} records repeat a prompt and were left out.`);
  if (recorded.digest === digest) return;
  throw new SparError({
    code: "data-changed",
    boundary: "recipe",
    message: `expected the data that this run began with (${recorded.trainingCount} training examples), ${run.options.data} holds others now`,
    hint: "put the old data back, or start a new run",
  });
}

function modelOptions(run: Run<SpinOptions>, task: SpinTask): Omit<CreateModelOptions, "name"> {
  const { options } = run;
  const seed = run.random.split("weights").seed();
  const { loraRank: rank } = options;
  const tuning = rank === 0 ? {} : ({ tuning: { kind: "lora", rank, alpha: 2 * rank, seed } } as const);
  if (options.baseModel !== "") return { from: { kind: "base", nameOrFolder: options.baseModel }, ...tuning };
  const architecture = {
    ...options.architecture,
    vocabularySize: task.tokenizer.vocabularySize,
    contextLength: options.maxSequenceTokens,
  };
  return {
    from: { kind: "architecture", architecture, seed },
    tokenizer: task.tokenizer.definition,
    ...tuning,
  };
}
