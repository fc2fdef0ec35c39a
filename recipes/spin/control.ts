/**
 * The fair control: plain fine-tuning that starts where SPIN started and goes as many iterations, at
 * the same learning rate, with the same optimizer begun anew at the same places. `equal-updates` makes
 * as many updates, each on as many rows as SPIN's had there, the smaller last one of an epoch included;
 * `equal-time` makes as many more as fit into the time that SPIN spends on answering.
 */
import type { CreateModelOptions, PolicyVersion } from "spar/contract";
import type { Run } from "spar/train";
import { evaluate, recordEvaluation, type Evaluation } from "./evaluate.ts";
import type { SpinTask } from "./examples.ts";
import { fineTune } from "./fine-tuning.ts";
import type { SpinOptions } from "./options.ts";
import type { TrainingFigures } from "./self-play.ts";

export type ControlKind = SpinOptions["controls"][number];

export interface ControlOptions {
  readonly kind: ControlKind;
  readonly task: SpinTask;
  /** How SPIN's own model was made: a control has the same weights to train. */
  readonly model: Omit<CreateModelOptions, "name">;
  /** Where SPIN started. */
  readonly start: PolicyVersion;
  /** What SPIN did, per iteration. */
  readonly iterations: readonly Pick<TrainingFigures, "updateCount" | "pairCount">[];
}

export interface ControlResult {
  readonly kind: ControlKind;
  readonly updateCount: number;
  /** After each iteration. */
  readonly figures: readonly Evaluation[];
}

export async function runControl(run: Run<SpinOptions>, control: ControlOptions): Promise<ControlResult> {
  const { options } = run;
  const { kind, task, start, iterations } = control;
  const ratio = kind === "equal-time" ? options.equalTimeRatio : 1;
  const name = `control-${kind}`;
  const policy = await run.model(name, control.model);
  const figures: Evaluation[] = [];
  let version = start;
  let updateCount = 0;
  for (const [iteration, spin] of iterations.entries()) {
    const count = Math.max(1, Math.round(spin.updateCount * ratio));
    const from = version;
    const done = await run.step(`${name}-${iteration}`, { models: [policy] }, async (step) => {
      await policy.restart(from);
      await fineTune(policy, task, {
        options,
        step,
        iteration,
        updateCount: count,
        rowsPerUpdate: 2 * options.pairsPerUpdate,
        rowsPerEpoch: 2 * spin.pairCount,
        what: "fine-tuning",
      });
      const published = await policy.publish();
      const evaluated = await evaluate({ engine: run.engine, version: published, task, options, step });
      recordEvaluation(step, { heading: name, index: iteration + 1 }, evaluated);
      return { version: published, evaluated };
    });
    version = done.version;
    figures.push(done.evaluated);
    updateCount += count;
  }
  return { kind, updateCount, figures };
}
