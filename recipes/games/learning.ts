/** One update of one policy: clipped policy gradient with an entropy bonus, exact means over the moves. */
import { defaultPpo, type Datum } from "spar/contract";
import { builtInTerm, entropyTerm, sumOf } from "spar/losses";
import { fit, linearSchedule, type Policy, type Step } from "spar/train";
import type { GamesOptions } from "./options.ts";

export interface Learned {
  readonly moveCount: number;
  /** Mean over the moves. @unit nats */
  readonly entropyNats: number;
}

/**
 * loss = -mean over moves of [min(r A, clip(r, 0.8, 1.2) A) + c H], with r = exp(l - q), l the
 * log-probability of the move, q the sampler's, A its advantage, H the exact entropy of the policy
 * there and c the bonus. The rows of an update are learned in `minibatchCount` steps; before the first,
 * r is 1: the weights that learn are the weights that played.
 *
 * @paper arXiv:1707.06347 eq. 7
 */
export async function learn(
  policy: Policy,
  rows: readonly Datum[],
  place: {
    readonly options: GamesOptions;
    readonly update: number;
    readonly step: Step;
    /** c above. */
    readonly entropyCoefficient: number;
  },
): Promise<Learned> {
  const { options, update, step, entropyCoefficient: coefficient } = place;
  const rate = linearSchedule({
    learningRate: options.learningRate,
    finalShare: options.finalLearningRateShare,
  });
  const updates = await fit({
    model: policy.model,
    data: rows,
    loss: () => sumOf([{ loss: builtInTerm(defaultPpo) }, { loss: entropyTerm({ coefficient }) }]),
    reduction: "mean-per-token",
    optimizer: { kind: "adam", clipGradientNorm: options.clipGradientNorm },
    schedule: () => rate(update, options.updateCount),
    groupsPerUpdate: Math.ceil(rows.length / options.minibatchCount),
    random: step.random.split("batches", update, policy.name),
    signal: step.signal,
  });
  let [moveCount, entropySum] = [0, 0];
  for (const { tokenCount, metrics } of updates) {
    moveCount += tokenCount;
    // The weights of a minibatch add up to 1, so its sum is its mean.
    entropySum += (metrics["entropy/exact/sum"] ?? 0) * tokenCount;
  }
  return { moveCount, entropyNats: moveCount === 0 ? 0 : entropySum / moveCount };
}
