/**
 * The pair loss of SPIN, DPO and their relatives as a custom loss: the policy shall prefer the real
 * row of each pair over the generated one, measured against a frozen reference. With the previous
 * iterate as reference and human answers as real rows it is SPIN; with preferences it is DPO. Knows
 * no method beyond that: who made the pairs and the reference is the recipe's affair.
 */
import type { CustomLoss, Datum, LossEvaluation } from "../contract/index.ts";
import { lossInputError } from "./loss-input.ts";
import { meansOf, type MetricSums } from "./metrics.ts";
import { pairsOf, type Pair, type PairRow } from "./pair-rows.ts";
import { pairShapes, pairShapeValue, type PairShape } from "./pair-shape.ts";

export interface PairLossOptions {
  /** Default `pair`: heads the metrics. */
  readonly name?: string;
  /** Strength of the pull to the reference (lambda in the paper). */
  readonly beta: number;
  /** Default `logistic`. */
  readonly shape?: PairShape;
  /**
   * Pairs of the whole batch (the sum of their weights, where they have weights): the loss is the
   * mean over these, so a micro-batch contributes its exact share.
   */
  readonly pairCount: number;
  /** Divides each row's log-probabilities by its number of trained tokens. Default false. */
  readonly isLengthNormalized?: boolean;
  /** Adds coefficient * mean over pairs of -log p(real row), against falling real log-probabilities. */
  readonly realNll?: { readonly coefficient: number; readonly isPerToken?: boolean };
}

/**
 * mean over pairs of ell(beta * Delta) with
 * Delta = [log p(real) - log ref(real)] - [log p(generated) - log ref(generated)].
 *
 * By the chain rule d loss / d l = beta ell'(beta Delta) / pairCount for every trained token of the
 * real row, and minus that for the generated row; the reference is a constant and has no gradient.
 *
 * @remarks tokens with weight > 0 count, the size of their weight does not; a pair's weight is the
 * constant `pairWeight`
 * @paper arXiv:2401.01335v3 eq. 4.7; arXiv:2305.18290v3 eq. 7 is the logistic case
 * @throws `invalid-input` from `evaluate` for rows that do not form pairs
 */
export function pairLoss(options: PairLossOptions): CustomLoss {
  checkOptions(options);
  return {
    name: options.name ?? "pair",
    evaluate: ({ logprobs }, data) => evaluatePairs(options, logprobs, data),
  };
}

/** Means per pair from the summed metrics of a batch: margin, accuracy, rewards, log-probabilities. */
export function pairMeans(sums: MetricSums, name = "pair"): Record<string, number> {
  const own = Object.fromEntries(Object.entries(sums).filter(([key]) => key.startsWith(`${name}/`)));
  return meansOf(own, `${name}/count/sum`);
}

function evaluatePairs(
  options: PairLossOptions,
  logprobs: readonly Float64Array[],
  data: readonly Datum[],
): LossEvaluation {
  const gradients = data.map((datum) => new Float64Array(datum.targets.length));
  const sums = new Map<string, number>();
  let value = 0;
  for (const pair of pairsOf(logprobs, data)) {
    const terms = pairTerms(options, pair);
    value += (pair.weight * terms.loss) / options.pairCount;
    addGradient(gradients, pair.real, (pair.weight * terms.realGradient) / options.pairCount);
    addGradient(gradients, pair.generated, (pair.weight * terms.generatedGradient) / options.pairCount);
    for (const [name, amount] of Object.entries(terms.metrics)) {
      const key = `${options.name ?? "pair"}/${name}/sum`;
      sums.set(key, (sums.get(key) ?? 0) + pair.weight * amount);
    }
  }
  return { value, gradients: { logprobs: gradients }, metrics: Object.fromEntries(sums) };
}

interface PairTerms {
  readonly loss: number;
  /** Derivative with respect to each trained token of the row. */
  readonly realGradient: number;
  readonly generatedGradient: number;
  readonly metrics: MetricSums;
}

function pairTerms(options: PairLossOptions, { real, generated }: Pair): PairTerms {
  const { beta } = options;
  const scaleOf = (row: PairRow): number =>
    options.isLengthNormalized === true ? 1 / row.positions.length : 1;
  const realReward = beta * scaleOf(real) * (real.policy - real.reference);
  const generatedReward = beta * scaleOf(generated) * (generated.policy - generated.reference);
  const shape = pairShapeValue(options.shape ?? "logistic", realReward - generatedReward);
  const nllScale =
    (options.realNll?.coefficient ?? 0) *
    (options.realNll?.isPerToken === true ? 1 / real.positions.length : 1);
  return {
    loss: shape.value - nllScale * real.policy,
    realGradient: shape.derivative * beta * scaleOf(real) - nllScale,
    generatedGradient: -shape.derivative * beta * scaleOf(generated),
    metrics: {
      count: 1,
      loss: shape.value,
      margin: realReward - generatedReward,
      // Strict: equal rewards, as at the first step of an iteration, are not a win.
      accuracy: realReward > generatedReward ? 1 : 0,
      realReward,
      generatedReward,
      realLogprob: real.policy,
      generatedLogprob: generated.policy,
      // The real row lost log-probability against the reference, whatever the margin says.
      displaced: real.policy < real.reference ? 1 : 0,
    },
  };
}

function addGradient(gradients: readonly Float64Array[], row: PairRow, gradient: number): void {
  const target = gradients[row.row];
  if (target === undefined) return;
  for (const position of row.positions) target[position] = (target[position] ?? 0) + gradient;
}

function checkOptions(options: PairLossOptions): void {
  const numbers = { beta: options.beta, pairCount: options.pairCount };
  for (const [name, value] of Object.entries(numbers)) {
    if (!(Number.isFinite(value) && value > 0))
      throw lossInputError(`pair loss: expected ${name} above 0, got ${value}`);
  }
  if (options.shape !== undefined && !pairShapes.includes(options.shape)) {
    throw lossInputError(
      `pair loss: expected a shape of ${pairShapes.join(", ")}, got ${String(options.shape)}`,
    );
  }
  const coefficient = options.realNll?.coefficient ?? 0;
  if (!(Number.isFinite(coefficient) && coefficient >= 0)) {
    throw lossInputError(`pair loss: expected a coefficient of realNll of at least 0, got ${coefficient}`);
  }
}
