/** What a person sees of a run of SPIN: the table per iteration, alarms, chart, comparison, samples. */
import { mapBounded } from "spar/base";
import { tokens, type PolicyVersion } from "spar/contract";
import type { Report, ReportTable, Run, Step } from "spar/train";
import type { ControlResult } from "./control.ts";
import type { Evaluation } from "./evaluate.ts";
import type { SpinTask } from "./examples.ts";
import type { SpinOptions } from "./options.ts";
import type { AnswerFigures, TrainingFigures } from "./self-play.ts";

/** The table that grows by one row per iteration. */
export function iterationTable(report: Report, task: SpinTask): ReportTable {
  return report.table(
    `Accuracy on ${task.heldOut.length} held-out prompts: greedy, and expected at temperature 1`,
    [
      { name: "iteration" },
      { name: "greedy", digits: 3 },
      { name: "expected", digits: 3 },
      { name: "NLL (nats)", digits: 3 },
      { name: "pairs left" },
      { name: "margin", digits: 3 },
      { name: "reward accuracy", digits: 3 },
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
    trained?.pairCount ?? null,
    trained?.margin ?? null,
    trained?.rewardAccuracy ?? null,
  );
}

/** Held-out likelihood that is worse than this is no calibration any more but a model that breaks. */
const divergenceRatio = 2;
const divergenceNats = 1;

/** The health of an iteration: what is known to go wrong is said when it begins, not at the end. */
export function alarms(
  options: SpinOptions,
  iteration: number,
  seen: {
    readonly start: Evaluation;
    readonly evaluated: Evaluation;
    readonly first: AnswerFigures;
    readonly answers: AnswerFigures;
    readonly trained: TrainingFigures;
  },
): string[] {
  const messages: string[] = [];
  const { start, evaluated, first, answers, trained } = seen;
  // Written so that a figure that is no number raises it too.
  if (!(evaluated.nllNats <= divergenceRatio * start.nllNats + divergenceNats)) {
    messages.push(
      `Alarm: after iteration ${iteration} a held-out reference has a negative log-likelihood of ${evaluated.nllNats.toPrecision(4)} nats, ${start.nllNats.toPrecision(4)} at the start: training diverges; lower the learning rate`,
    );
  }
  if (answers.differentCount > options.collapsePairsRatio * first.differentCount) {
    messages.push(
      `Alarm: iteration ${iteration} answers ${answers.differentCount} prompts unlike the references, ${first.differentCount} at the start: a collapse is under way; lower the learning rate or raise beta`,
    );
  }
  if (trained.realShiftNats < -options.displacementNats) {
    messages.push(
      `Alarm: iteration ${iteration} lowered the references' own log-probability by ${(-trained.realShiftNats).toFixed(2)} nats: displacement; set nllCoefficient, or lower the learning rate`,
    );
  }
  return messages;
}

/** Beside its controls: the honest end of the run. Where nothing was trained there is nothing to compare. */
export function comparison(
  report: Report,
  result: {
    readonly start: Evaluation;
    readonly spin: readonly Evaluation[];
    readonly spinUpdates: number;
    readonly controls: readonly ControlResult[];
  },
): void {
  if (result.spin.length === 0) {
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
    ],
  );
  const row = (name: string, updates: number, figures: Evaluation | undefined): void => {
    if (figures === undefined) return;
    table.row(name, updates, figures.greedyAccuracy, figures.expectedAccuracy, figures.nllNats);
  };
  row("start", 0, result.start);
  row("SPIN", result.spinUpdates, result.spin.at(-1));
  for (const { kind, updateCount, figures } of result.controls)
    row(`fine-tuning, ${kind}`, updateCount, figures.at(-1));
  const curve = (figures: readonly Evaluation[]): number[] =>
    [result.start, ...figures].map((one) => one.expectedAccuracy);
  report.chart({
    title: "Expected accuracy on held-out prompts",
    horizontalAxis: "iterations done",
    horizontalValues: Array.from({ length: result.spin.length + 1 }, (_, iterationCount) => iterationCount),
    series: [
      { name: "SPIN", values: curve(result.spin) },
      ...result.controls.map(({ kind, figures }) => ({
        name: `fine-tuning, ${kind}`,
        values: curve(figures),
      })),
    ],
  });
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
