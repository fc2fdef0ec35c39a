/**
 * Rewards for what a proposal is, whatever the solver makes of it: complexity, distance to the references, answers that
 * are rare. The paper tried them and found no clear gain; every coefficient is 0 by default.
 *
 * @paper arXiv:2505.03335v3 appendix D.4, eqs. 11 to 14
 */
import type { Measures } from "./measures.ts";

export const intrinsicNames = ["complexity", "halstead", "editDistance", "answerDiversity"] as const;
export type IntrinsicName = (typeof intrinsicNames)[number];

export interface IntrinsicOptions {
  readonly coefficients: Readonly<Record<IntrinsicName, number>>;
  /** The most that each may add. */
  readonly maximum: number;
  readonly combination: IntrinsicCombination;
}

/** How they meet the learnability r, with i the scaled rewards: `sum` r + sum i; `product` r prod i; `add-product`
 * r + prod i; `times-sum` r sum i. */
export type IntrinsicCombination = "sum" | "product" | "add-product" | "times-sum";

/** Each between 0 and some small number, before coefficients. */
export function intrinsicValues(
  measures: Measures,
  answerProbability: number,
): Readonly<Record<IntrinsicName, number>> {
  const { cognitive, cyclomatic, volume, effort, distance } = measures;
  return {
    complexity: cognitive / 15,
    halstead:
      0.5 * Math.min(effort / 1e4, 1) + 0.3 * Math.min(cyclomatic / 10, 1) + 0.2 * Math.min(volume / 500, 1),
    editDistance: distance,
    answerDiversity: 1 - answerProbability,
  };
}

/** The proposer's reward with what is added; only where there is something to learn. */
export function withIntrinsic(
  extrinsic: number,
  values: Readonly<Record<IntrinsicName, number>>,
  { coefficients, maximum, combination }: IntrinsicOptions,
): number {
  const used = intrinsicNames.filter((name) => coefficients[name] !== 0);
  if (extrinsic <= 0 || used.length === 0) return extrinsic;
  const scaled = used.map((name) => Math.max(0, Math.min(coefficients[name] * values[name], maximum)));
  const sum = scaled.reduce((total, one) => total + one, 0);
  const product = scaled.reduce((total, one) => total * one, 1);
  switch (combination) {
    case "sum":
      return extrinsic + sum;
    case "product":
      return extrinsic * product;
    case "add-product":
      return extrinsic + product;
    case "times-sum":
      return extrinsic * sum;
  }
}

/** How often an answer occurred among all so far. */
export function probabilityOf(answer: string, counts: ReadonlyMap<string, number>): number {
  let total = 0;
  for (const count of counts.values()) total += count;
  return total === 0 ? 0 : (counts.get(answer) ?? 0) / total;
}
