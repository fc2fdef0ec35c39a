/**
 * What a proposal and an answer are worth. A proposer is paid for tasks that the solver sometimes but not always solves,
 * a solver for being right, and both lose by replies that cannot be read.
 */

export const badFormatReward = -1;
export const wrongReward = -0.5;

/**
 * How much there is to learn from a task: nothing where it is never solved, else what is missing to always.
 *
 * @shape solveRate: mean score of the rollouts, 0 to 1
 * @paper arXiv:2505.03335v3 eq. 4
 */
export function learnability(solveRate: number): number {
  return solveRate === 0 ? 0 : 1 - solveRate;
}

/** What a task without learnability earns: `zero` in the paper's equations, `penalty` in the released code. */
export type UnlearnableReward = "zero" | "penalty";

export type ProposalOutcome =
  | { readonly kind: "invalid" }
  | { readonly kind: "valid"; readonly isWellFormed: boolean; readonly solveRate: number };

/** @paper arXiv:2505.03335v3 eq. 6 */
export function proposerReward(outcome: ProposalOutcome, unlearnable: UnlearnableReward): number {
  if (outcome.kind === "invalid" || !outcome.isWellFormed) return badFormatReward;
  const reward = learnability(outcome.solveRate);
  return reward === 0 && unlearnable === "penalty" ? wrongReward : reward;
}

/**
 * The score where there is one: 1 for a right answer; the share of hidden cases where induction is scored by accuracy.
 *
 * @paper arXiv:2505.03335v3 eq. 5 and 6
 */
export function solverReward(answer: { readonly isWellFormed: boolean; readonly score: number }): number {
  if (!answer.isWellFormed) return badFormatReward;
  return answer.score > 0 ? answer.score : wrongReward;
}
