/** Pairs for the tests of pair losses: rows whose summed log-probabilities are given numbers. */
import { tokens, type Datum, type LossEvaluation } from "../contract/index.ts";
import { pairLoss, type PairLossOptions } from "./pair-loss.ts";
import { pairConstants } from "./pair-rows.ts";

/** Summed log-probabilities: (policy real, policy generated, reference real, reference generated). */
export type PairNumbers = readonly [number, number, number, number];

export interface PairData {
  readonly data: readonly Datum[];
  readonly logprobs: readonly Float64Array[];
}

/** Each row has one untrained prompt token and two trained ones that share the sum, 1/4 and 3/4. */
export function pairData(pairs: readonly PairNumbers[], weights: readonly number[] = []): PairData {
  const rows = pairs.flatMap(([policyReal, policyGenerated, referenceReal, referenceGenerated], index) => [
    pairRow(index, { side: 1, policy: policyReal, reference: referenceReal, weight: weights[index] ?? 1 }),
    pairRow(index, {
      side: 0,
      policy: policyGenerated,
      reference: referenceGenerated,
      weight: weights[index] ?? 1,
    }),
  ]);
  return { data: rows.map((row) => row.datum), logprobs: rows.map((row) => row.logprobs) };
}

interface RowNumbers {
  readonly side: 0 | 1;
  readonly policy: number;
  readonly reference: number;
  readonly weight: number;
}

function pairRow(
  index: number,
  numbers: RowNumbers,
): { readonly datum: Datum; readonly logprobs: Float64Array } {
  const constants = {
    [pairConstants.side]: numbers.side,
    [pairConstants.reference]: numbers.reference,
    [pairConstants.weight]: numbers.weight,
  };
  return {
    datum: {
      input: [tokens([1, 2, 3])],
      targets: Int32Array.of(2, 3, 4),
      weights: Float32Array.of(0, 1, 1),
      groupId: `pair-${index}`,
      constants,
    },
    logprobs: Float64Array.of(-7, numbers.policy / 4, (numbers.policy * 3) / 4),
  };
}

/** The pair loss of these numbers, alone in their batch, with beta 0.1 unless told otherwise. */
export function evaluatePairs(
  numbers: readonly PairNumbers[],
  options: Partial<PairLossOptions> = {},
): LossEvaluation {
  const { data, logprobs } = pairData(numbers);
  return pairLoss({ beta: 0.1, pairCount: numbers.length, ...options }).evaluate({ logprobs }, data);
}
