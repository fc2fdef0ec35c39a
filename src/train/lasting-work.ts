/** What of a run somebody could miss who sees it end early. */
import type { StoredStep } from "../store/index.ts";
import { parseEffects } from "./step-effects.ts";

/** What is done again this fast is no loss. */
const longStepMs = 10_000;

/** Whether a committed step trained a model, or took long; making a model or reading data is neither. */
export function isLastingWork(step: Pick<StoredStep, "kind" | "effects" | "durationMs">): boolean {
  if (step.kind === "end") return false;
  return parseEffects(step.effects).changed.length > 0 || step.durationMs >= longStepMs;
}
