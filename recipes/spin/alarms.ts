/** The health of an iteration: what is known to go wrong is said when it begins, not at the end. */
import type { EngineDescription } from "spar/contract";
import { pairShapeValue } from "spar/losses";
import type { Evaluation } from "./evaluate.ts";
import type { SpinOptions } from "./options.ts";
import type { AnswerFigures, TrainingFigures } from "./self-play.ts";

/** Held-out likelihood that is worse than this is no calibration any more but a model that breaks. */
const divergenceRatio = 2;
const divergenceNats = 1;

/**
 * How far the loss of a first update may be from that of a margin of nothing. Coarser arithmetic rounds each of
 * two hundred log-probabilities by a hundredth or so, and a large beta multiplies what is left of that.
 */
const firstLossTolerance: Readonly<Record<EngineDescription["precision"], number>> = {
  float64: 1e-3,
  float32: 1e-3,
  bfloat16: 0.1,
};

export interface SeenIteration {
  readonly start: Evaluation;
  readonly evaluated: Evaluation;
  readonly first: AnswerFigures;
  readonly answers: AnswerFigures;
  readonly trained: TrainingFigures;
  readonly precision: EngineDescription["precision"];
}

export function alarms(options: SpinOptions, iteration: number, seen: SeenIteration): string[] {
  const messages: string[] = [];
  const { start, evaluated, first, answers, trained, precision } = seen;
  const expectedLoss = pairShapeValue(options.loss, 0).value;
  if (!(Math.abs(trained.firstLoss - expectedLoss) <= firstLossTolerance[precision])) {
    messages.push(
      `Alarm: iteration ${iteration} began with a loss of ${trained.firstLoss.toPrecision(6)}, expected ${expectedLoss.toPrecision(6)}, as nothing had moved yet: the references are not of the weights that are trained, or the engine does not give a row the same log-probabilities twice`,
    );
  }
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
