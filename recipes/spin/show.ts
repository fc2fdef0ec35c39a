/** What a person sees of a run of SPIN: the tables per iteration, chart, comparison, samples. */
import { mapBounded } from "spar/base";
import { tokens, type PolicyVersion } from "spar/contract";
import type { Report, ReportTable, Run, Step } from "spar/train";
import type { ControlResult } from "./control.ts";
import type { Evaluation } from "./evaluate.ts";
import type { SpinTask } from "./examples.ts";
import type { SpinOptions } from "./options.ts";
import type { AnswerFigures, TrainingFigures } from "./self-play.ts";

/** What there is to tell of one iteration. */
export interface PlayedIteration {
  readonly answers: AnswerFigures;
  readonly trained: TrainingFigures;
  readonly evaluated: Evaluation;
}

/** The table that grows by one row per iteration. */
export function iterationTable(report: Report, task: SpinTask): ReportTable {
  return report.table(
    `Accuracy on ${task.heldOut.length} held-out prompts: greedy, and expected at temperature 1`,
    [
      { name: "iteration" },
      { name: "greedy", digits: 3 },
      { name: "expected", digits: 3 },
      { name: "NLL (nats)", digits: 3 },
      { name: "per token", digits: 3 },
      { name: "pairs left" },
      { name: "margin", digits: 3 },
    ],
  );
}

export function iterationRow(
  table: ReportTable,
  iteration: string,
  figures: Evaluation,
  trained: TrainingFigures | null,
): void {
  table.row(
    iteration,
    figures.greedyAccuracy,
    figures.expectedAccuracy,
    figures.nllNats,
    figures.nllPerTokenNats,
    trained?.pairCount ?? null,
    trained?.margin ?? null,
  );
}

/** How the answers were, and how far the references were raised above them. */
export function gameTable(report: Report, played: readonly PlayedIteration[]): void {
  const table = report.table(
    "The game: an iterate's answers, and the rewards at the end of training against them; gap of sampler and trainer in nats",
    [
      { name: "iteration" },
      { name: "tokens", digits: 1 },
      { name: "cut" },
      { name: "first loss", digits: 4 },
      { name: "reference", digits: 3 },
      { name: "answer", digits: 3 },
      { name: "accuracy", digits: 3 },
      { name: "gap", digits: 7 },
    ],
  );
  for (const [iteration, { answers, trained }] of played.entries()) {
    table.row(
      iteration,
      answers.meanTokens,
      answers.cutCount,
      trained.firstLoss,
      trained.realReward,
      trained.generatedReward,
      trained.rewardAccuracy,
      trained.mismatchNats,
    );
  }
}

/** Below it a curve of expected accuracy shows nothing. */
const leastExpectedAccuracy = 1e-3;

/** Beside its controls: the honest end of the run. Where nothing was trained there is nothing to compare. */
export function comparison(
  report: Report,
  result: {
    readonly start: Evaluation;
    readonly played: readonly PlayedIteration[];
    readonly controls: readonly ControlResult[];
  },
): void {
  const { start, played, controls } = result;
  const last = played.at(-1);
  if (last === undefined) {
    report.note("Nothing was trained, so there is nothing to compare: the start is the result.");
    return;
  }
  const table = report.table(
    "SPIN beside plain fine-tuning: same start, learning rate and held-out prompts",
    [
      { name: "held-out" },
      { name: "updates" },
      { name: "greedy", digits: 3 },
      { name: "expected", digits: 3 },
      { name: "NLL (nats)", digits: 3 },
      { name: "per token", digits: 3 },
      { name: "tokens", digits: 1 },
    ],
  );
  const row = (name: string, updates: number, figures: Evaluation): void => {
    const { greedyAccuracy, expectedAccuracy, nllNats, nllPerTokenNats, greedyTokens } = figures;
    table.row(name, updates, greedyAccuracy, expectedAccuracy, nllNats, nllPerTokenNats, greedyTokens);
  };
  row("start", 0, start);
  row("SPIN", updateCountOf(played), last.evaluated);
  for (const { kind, updateCount, figures } of controls)
    row(`fine-tuning, ${kind}`, updateCount, figures.at(-1) ?? start);
  // Long references are never met exactly: there the likelihood per token is what moves.
  const isMet = last.evaluated.expectedAccuracy >= leastExpectedAccuracy;
  const curve = (figures: readonly Evaluation[]): number[] =>
    [start, ...figures].map((one) => (isMet ? one.expectedAccuracy : one.nllPerTokenNats));
  report.chart({
    title: isMet
      ? "Expected accuracy on held-out prompts"
      : "Negative log-likelihood of held-out references, nats per token",
    horizontalAxis: "iterations done",
    horizontalValues: Array.from({ length: played.length + 1 }, (_, iterationCount) => iterationCount),
    series: [
      { name: "SPIN", values: curve(played.map(({ evaluated }) => evaluated)) },
      ...controls.map(({ kind, figures }) => ({
        name: `fine-tuning, ${kind}`,
        values: curve(figures),
      })),
    ],
  });
}

function updateCountOf(played: readonly PlayedIteration[]): number {
  return played.reduce((sum, { trained }) => sum + trained.updateCount, 0);
}

export type Samples = readonly {
  readonly prompt: string;
  readonly reference: string;
  readonly answers: readonly string[];
}[];

/** Greedy answers to the first held-out prompts, by several versions. */
export async function drawSamples(
  run: Run<SpinOptions>,
  step: Step,
  { task, versions }: { readonly task: SpinTask; readonly versions: readonly PolicyVersion[] },
): Promise<Samples> {
  const { options } = run;
  return mapBounded(task.heldOut.slice(0, options.sampleCount), options.concurrency, async (example) => {
    const answers = await mapBounded(versions, versions.length, async (version) => {
      const { sequences } = await run.engine.sample(
        version,
        {
          prompt: [tokens(example.promptIds)],
          parameters: {
            maxTokens: options.maxAnswerTokens,
            temperature: 0,
            seed: 0,
            stopTokenIds: task.renderer.stopTokenIds,
          },
        },
        { signal: step.signal },
      );
      return task.renderer.decode(sequences[0]?.tokenIds ?? []);
    });
    return { prompt: example.prompt, reference: example.answer, answers };
  });
}

export function showSamples(report: Report, samples: Samples): void {
  const isTrained = samples.some(({ answers }) => answers.length > 1);
  const table = report.table(isTrained ? "Held-out prompts, before and after" : "Held-out prompts", [
    { name: "prompt" },
    { name: "reference" },
    ...(isTrained ? [{ name: "before" }, { name: "after" }] : [{ name: "answer" }]),
  ]);
  for (const { prompt, reference, answers } of samples) table.row(prompt, reference, ...answers);
}
