/** Recipes, runs, durable steps, training loops. */
export {
  resumeRun,
  startRun,
  type ResumeRunOptions,
  type RunOutcome,
  type StartRunOptions,
} from "./execute-run.ts";
export { randomOfRun } from "./durable-run.ts";
export { isLastingWork } from "./lasting-work.ts";
export type { RunEvent, RunObserver } from "./observer.ts";
export { checkOptions, differingOptions, optionsToJson, resolveOptions } from "./options.ts";
export {
  defineRecipe,
  type OptionsSchema,
  type Plan,
  type PlanLine,
  type Preset,
  type Recipe,
} from "./recipe.ts";
export type { Cell, Report, ReportEvent, ReportTable, TableColumn } from "./report.ts";
export type { Policy, Progress, ProgressOptions, Run, RunState, Step, StepUses } from "./run.ts";
export { listSavedPolicies, type SavedPolicy, type SavedWeights } from "./saved-policies.ts";
export type { TrainErrorCode } from "./train-errors.ts";
export {
  countUpdates,
  fit,
  type FitOptions,
  type FitUpdate,
  type OptimizerSettings,
  type UpdateShape,
} from "./fit.ts";
export type { Reduction } from "./fit-batches.ts";
export { checkMismatch, type MismatchCheckOptions } from "./mismatch-check.ts";
export {
  constantSchedule,
  cosineSchedule,
  linearSchedule,
  type Schedule,
  type ScheduleOptions,
} from "./schedules.ts";
