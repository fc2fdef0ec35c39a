/** What happened in steps of self-play, as sums under names: `deduction/valid`, `solved/3`. They add up over steps. */
import { addMetrics } from "spar/losses";
import type { AbsoluteZeroOptions } from "./options.ts";

export type Counts = { readonly [name: string]: number };

export const noCounts: Counts = {};

export function addCounts(...parts: readonly Counts[]): Counts {
  return addMetrics(...parts);
}

/** Null where nothing was counted. */
function shareOf(counts: Counts, part: string, whole: string): number | null {
  const total = counts[whole] ?? 0;
  return total === 0 ? null : (counts[part] ?? 0) / total;
}

export type Health = {
  /** Of proposals that could be judged. */
  readonly validShare: number | null;
  /** Of valid ones, those that were solved sometimes and not always. */
  readonly learnableShare: number | null;
  /** Of valid ones, those that the buffer had already. */
  readonly duplicateShare: number | null;
  readonly rightShare: number | null;
  /** Mean over tokens. @unit nats */
  readonly entropyNats: number | null;
  /** Mean tokens of a reply that was trained on. */
  readonly replyTokens: number | null;
};

export function healthOf(counts: Counts): Health {
  return {
    validShare: shareOf(counts, "valid", "proposed"),
    learnableShare: shareOf(counts, "learnable", "estimated"),
    duplicateShare: shareOf(counts, "duplicate", "valid"),
    rightShare: shareOf(counts, "right", "answered"),
    entropyNats: shareOf(counts, "entropy", "tokens"),
    replyTokens: shareOf(counts, "tokens", "responses"),
  };
}

/** What a person should know while it can still be stopped. */
export function alarms({ alarms: bounds }: AbsoluteZeroOptions, health: Health, stepIndex: number): string[] {
  const { validShare, learnableShare, duplicateShare, entropyNats } = health;
  const messages: string[] = [];
  const at = `Alarm at step ${stepIndex}:`;
  if (validShare !== null && validShare < bounds.validShare)
    messages.push(
      `${at} ${percent(validShare)} of the proposals were valid. Lower the learning rate, or warm up longer`,
    );
  if (learnableShare !== null && learnableShare < bounds.learnableShare) {
    messages.push(
      `${at} ${percent(learnableShare)} of the valid proposals could be learned from, the others are always or never solved`,
    );
  }
  if (duplicateShare !== null && duplicateShare > bounds.duplicateShare) {
    messages.push(
      `${at} ${percent(duplicateShare)} of the valid proposals were there before. Raise entropy.propose`,
    );
  }
  if (entropyNats !== null && entropyNats < bounds.entropyNats)
    messages.push(
      `${at} the entropy of a token fell to ${entropyNats.toFixed(3)} nats. Raise the entropy bonus`,
    );
  return messages;
}

function percent(share: number): string {
  return `${(100 * share).toFixed(0)} %`;
}
