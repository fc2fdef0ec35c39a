/**
 * How large the entropy bonus is: a schedule that is blind to what happens, or a controller that keeps
 * the policy's mean entropy near a target that falls. The second keeps exploration alive in every
 * seed, where one and the same schedule lets some policies settle on their first habit.
 */
import type { GamesOptions } from "./options.ts";

type EntropyOptions = GamesOptions["entropy"];

/** The coefficient of each policy's bonus, by its name; JSON, so that it can be a state of the run. */
export type EntropyCoefficients = { readonly [policy: string]: number };

/** A steered coefficient stays within these: none is so low that it could not come back in time. */
const lowest = 1e-3;
const highest = 0.5;

/** @shape progressShare: from 0 at the first update to 1 at the last */
export function coefficientAt(
  { control, start, end }: EntropyOptions,
  progressShare: number,
  steered: number | undefined,
): number {
  switch (control) {
    case "schedule":
      return between(start, end, progressShare);
    case "target":
      return steered ?? start;
  }
}

/**
 * c <- c exp(gain (H target - H)), within bounds: an integral controller in the logarithm.
 *
 * @unit nats for both entropies
 */
export function steer(
  { targetStartNats, targetEndNats, gain }: EntropyOptions,
  progressShare: number,
  now: { readonly coefficient: number; readonly entropyNats: number },
): number {
  const target = between(targetStartNats, targetEndNats, progressShare);
  const next = now.coefficient * Math.exp(gain * (target - now.entropyNats));
  return Math.min(highest, Math.max(lowest, next));
}

function between(start: number, end: number, share: number): number {
  return start + (end - start) * share;
}
