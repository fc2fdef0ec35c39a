/** One update of one policy: policy gradient with an entropy bonus, exact means over the moves. */
import type { Datum } from "spar/contract";
import { builtInTerm, entropyTerm, sumOf } from "spar/losses";
import { fit, linearSchedule, type FitUpdate, type Policy, type Step } from "spar/train";
import type { GamesOptions } from "./options.ts";

/**
 * loss = -mean over moves of [exp(l - q) A + c H], with l the log-probability of the move, q the
 * sampler's, A its advantage, H the exact entropy of the policy there and c the bonus. The ratio is 1:
 * the weights that learn are the weights that played.
 */
export async function learn(
  policy: Policy,
  rows: readonly Datum[],
  place: { readonly options: GamesOptions; readonly update: number; readonly step: Step },
): Promise<FitUpdate | null> {
  const { options, update, step } = place;
  if (rows.length === 0) return null;
  const progressShare = options.updateCount === 1 ? 0 : update / (options.updateCount - 1);
  const { start, end } = options.entropy;
  const coefficient = start + (end - start) * progressShare;
  const rate = linearSchedule({
    learningRate: options.learningRate,
    finalShare: options.finalLearningRateShare,
  });
  const updates = await fit({
    model: policy.model,
    data: rows,
    loss: () =>
      sumOf([{ loss: builtInTerm({ kind: "importanceSampling" }) }, { loss: entropyTerm({ coefficient }) }]),
    reduction: "mean-per-token",
    optimizer: { kind: "adam", clipGradientNorm: options.clipGradientNorm },
    schedule: () => rate(update, options.updateCount),
    groupsPerUpdate: rows.length,
    random: step.random.split("batches", update, policy.name),
    signal: step.signal,
  });
  return updates[0] ?? null;
}
