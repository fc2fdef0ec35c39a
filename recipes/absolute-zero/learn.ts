/** One update on the replies of a step: six groups with a baseline each, a clipped ratio, an entropy bonus by role. */
import type { Datum } from "spar/contract";
import { builtInTerm, entropyTerm, sampledEntropyTerm, sumOf, taskRelativeAdvantages } from "spar/losses";
import { datumFromTurns } from "spar/text";
import {
  checkMismatch,
  constantSchedule,
  fit,
  type OptimizerSettings,
  type Policy,
  type Run,
  type Step,
} from "spar/train";
import type { Counts } from "./counts.ts";
import type { AbsoluteZeroOptions } from "./options.ts";
import type { Response } from "./responses.ts";

/** Of a row: the coefficient of its entropy bonus. */
const entropyConstant = "entropyCoefficient";

/**
 * Rows with advantages A of their group; those of proposals are scaled by lambda. Every response weighs the same, or every
 * token.
 *
 * @paper arXiv:2505.03335v3 eqs. 3, 8 and 9
 */
export function rowsOf(responses: readonly Response[], options: AbsoluteZeroOptions): Datum[] {
  const { statistics, baseline, lossMean, proposerWeight, entropy } = options;
  const advantages = taskRelativeAdvantages(
    responses.map(({ reward, group, turn }) => ({
      reward,
      group: baseline === "all" ? "all" : group,
      tokenCount: turn.logprobs.length,
    })),
    statistics,
  );
  return responses.flatMap(({ turn, role }, index) => {
    if (turn.logprobs.length === 0) return [];
    const advantage = (advantages[index] ?? 0) * (role === "propose" ? proposerWeight : 1);
    return datumFromTurns([turn], {
      advantages: advantage,
      weight: lossMean === "response" ? 1 / turn.logprobs.length : 1,
      constants: { [entropyConstant]: entropy[role] },
    });
  });
}

/**
 * loss = -mean of [min(r A, clip(r, 1 - e, 1 + e) A) + c H], with r = exp(l - q). All rows are one update, so r is 1 but for
 * rounding.
 *
 * @paper arXiv:2505.03335v3 eq. 9
 */
export async function learn(
  run: Run<AbsoluteZeroOptions>,
  {
    step,
    policy,
    responses,
    stepIndex,
    isFirstOfRound,
  }: {
    readonly step: Step;
    readonly policy: Policy;
    readonly responses: readonly Response[];
    readonly stepIndex: number;
    readonly isFirstOfRound: boolean;
  },
): Promise<Counts> {
  const { options, engine, report } = run;
  const rows = rowsOf(responses, options);
  if (rows.length === 0) return {};
  const { model } = policy;
  const { description } = engine;
  // The gap between sampler and trainer, before the update.
  if (isFirstOfRound) await checkMismatch({ model, description, data: rows, step, report, index: stepIndex });
  const { clipRange, entropy } = options;
  const ppo = builtInTerm({ kind: "ppo", clipLow: 1 - clipRange, clipHigh: 1 + clipRange });
  const coefficient = ({ constants = {} }: Datum): number => Number(constants[entropyConstant] ?? 0);
  const bonus =
    entropy.estimate === "exact" ? entropyTerm({ coefficient }) : sampledEntropyTerm({ coefficient });
  const [update] = await fit({
    model,
    data: rows,
    loss: () => sumOf([{ loss: ppo }, { loss: bonus }]),
    reduction: options.lossMean === "response" ? "mean-per-group" : "mean-per-token",
    optimizer: optimizerOf(options),
    schedule: constantSchedule({ learningRate: options.learningRate }),
    groupsPerUpdate: rows.length,
    microBatchRows: options.maxRowsPerCall,
    random: step.random.split("rows", stepIndex),
    signal: step.signal,
  });
  const tokens = responses.reduce((sum, { turn }) => sum + turn.logprobs.length, 0);
  const { metrics = {}, gradientNorm = null } = update ?? {};
  const entropySum = metrics["entropy/exact/sum"] ?? metrics["sampledEntropy/estimate/sum"] ?? 0;
  return {
    responses: responses.length,
    tokens,
    // The weights of an update add up to 1, so its sum is its mean.
    entropy: entropySum * tokens,
    updates: 1,
    gradientNorm: gradientNorm ?? 0,
  };
}

function optimizerOf({
  optimizer,
  beta2,
  clipGradientNorm,
  weightDecay,
}: AbsoluteZeroOptions): OptimizerSettings {
  const common = { beta1: 0.9, beta2, clipGradientNorm };
  return optimizer === "adamw" ? { kind: "adamw", weightDecay, ...common } : { kind: "adam", ...common };
}
