/** Losses, advantages and telemetry as pure functions of arrays and datums. They know no engine. */
export { builtInTerm } from "./built-in-term.ts";
export { entropyTerm, sampledEntropyTerm, type EntropyTermOptions } from "./entropy-terms.ts";
export { groupAdvantages, whiten, type GroupAdvantageOptions } from "./group-advantages.ts";
export { klEstimate, klEstimators, type KlEstimate, type KlEstimator } from "./kl-estimators.ts";
export { klTerm, type KlTermOptions } from "./kl-term.ts";
export { addMetrics, meansOf, type MetricSums } from "./metrics.ts";
export {
  judgeMismatch,
  mismatchThresholdNats,
  type MismatchAlarmOptions,
  type MismatchVerdict,
} from "./mismatch-alarm.ts";
export { measureMismatch, mismatchMetrics, type MeasuredMismatch, type Mismatch } from "./mismatch.ts";
export { pairLoss, pairMeans, type PairLossOptions } from "./pair-loss.ts";
export { pairConstants } from "./pair-rows.ts";
export { pairShapes, pairShapeValue, type PairShape, type ShapeValue } from "./pair-shape.ts";
export {
  initialMovingAverage,
  movingAverageAdvantages,
  reinforceAdvantages,
  type MovingAverage,
} from "./reinforce-advantages.ts";
export type { DeviationKind } from "./statistics.ts";
export { sumOf, type SumTerm } from "./sum-of.ts";
export {
  taskRelativeAdvantages,
  type GroupStatistics,
  type RewardedResponse,
} from "./task-relative-advantages.ts";
export { withAdvantage } from "./with-advantage.ts";
