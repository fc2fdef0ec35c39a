/**
 * What weights a run has kept: per policy the versions that still exist, oldest first, and its last
 * saved state. Sampling and exports begin here. Read from the committed steps; the checkpoints
 * themselves are not touched.
 */
import type { StoredStep } from "../store/index.ts";
import { parseEffects, Standing } from "./step-effects.ts";

export interface SavedWeights {
  /** `version 3`, or `last state` where it was trained on after it was last published. */
  readonly label: string;
  /** Name of the checkpoint. */
  readonly checkpoint: string;
  /** Whether it was published; the last state of a model is replaced as the run goes on. */
  readonly isVersion: boolean;
}

export interface SavedPolicy {
  readonly name: string;
  /** At least one, oldest first. */
  readonly weights: readonly [SavedWeights, ...SavedWeights[]];
}

/** The part of a run reader that is needed. */
export interface StepsReader {
  steps(): Iterable<Pick<StoredStep, "result" | "effects">>;
}

/** Policies in the order in which the run made them; those of which nothing is left are missing. */
export function listSavedPolicies(reader: StepsReader): SavedPolicy[] {
  const standing = new Standing();
  for (const step of reader.steps()) standing.apply(step.result, parseEffects(step.effects));
  const byPolicy = new Map<string, SavedWeights[]>();
  for (const name of standing.models.keys()) byPolicy.set(name, []);
  for (const { policy, number, folder } of standing.versions.values()) {
    const weights = byPolicy.get(policy) ?? [];
    weights.push({ label: `version ${number}`, checkpoint: folder, isVersion: true });
    byPolicy.set(policy, weights);
  }
  for (const [name, { savedFolder }] of standing.models) {
    const weights = byPolicy.get(name) ?? [];
    const isPublished = weights.some(({ checkpoint }) => checkpoint === savedFolder);
    if (savedFolder !== null && !isPublished)
      weights.push({ label: "last state", checkpoint: savedFolder, isVersion: false });
  }
  return [...byPolicy].flatMap(([name, [first, ...others]]) =>
    first === undefined ? [] : [{ name, weights: [first, ...others] }],
  );
}
