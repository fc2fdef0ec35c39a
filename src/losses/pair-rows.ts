/**
 * Finds the pairs in a batch: two rows of one group, one real, one generated, told apart by a
 * constant. Sums log-probabilities of policy and reference over the trained tokens. Knows no loss.
 */
import type { Datum } from "../contract/index.ts";
import { constantOf, lossInputError, numberOf } from "./loss-input.ts";

/** Names of the constants that pair losses read. */
export const pairConstants = {
  /** 1: the real (chosen) row; 0: the generated (rejected) one. */
  side: "pairSide",
  /** Log-probability under the frozen reference: the sum of the row, or one number per target. */
  reference: "referenceLogprob",
  /** Weight of the pair, on the real row; 1 where it is left out. */
  weight: "pairWeight",
} as const;

/** One row of a pair. @unit nats */
export interface PairRow {
  readonly row: number;
  /** Indices of the trained tokens: those of positive weight. */
  readonly positions: readonly number[];
  /** sum of log p(token) under the policy. */
  readonly policy: number;
  /** The same under the frozen reference. */
  readonly reference: number;
}

export interface Pair {
  readonly real: PairRow;
  readonly generated: PairRow;
  readonly weight: number;
}

/**
 * The pairs of a batch in the order of their first rows.
 *
 * @shape logprobs `[B][T]`
 * @throws `invalid-input` for a row without group, side or reference, and for a group that is not a pair
 */
export function pairsOf(logprobs: readonly Float64Array[], data: readonly Datum[]): Pair[] {
  const groups = new Map<string, number[]>();
  data.forEach((datum, row) => {
    if (datum.groupId === undefined)
      throw lossInputError(`row ${row}: expected the groupId of its pair, got none`);
    groups.set(datum.groupId, [...(groups.get(datum.groupId) ?? []), row]);
  });
  return [...groups].map(([groupId, rows]) => {
    const bySide = rows.map((row) => ({ row, side: sideOf(data, row) }));
    const real = bySide.filter(({ side }) => side === 1);
    const generated = bySide.filter(({ side }) => side === 0);
    const [realRow] = real;
    const [generatedRow] = generated;
    if (rows.length !== 2 || realRow === undefined || generatedRow === undefined) {
      throw lossInputError(
        `group ${groupId}: expected one real and one generated row, got ${real.length} and ${generated.length}`,
        "keep both rows of a pair in one micro-batch",
      );
    }
    const weight = data[realRow.row]?.constants?.[pairConstants.weight];
    return {
      real: rowOf(logprobs, data, realRow.row),
      generated: rowOf(logprobs, data, generatedRow.row),
      weight: typeof weight === "number" ? weight : 1,
    };
  });
}

function sideOf(data: readonly Datum[], row: number): number {
  const datum = data[row];
  const side = datum === undefined ? Number.NaN : numberOf(datum, pairConstants.side, row);
  if (side !== 0 && side !== 1)
    throw lossInputError(
      `row ${row}: expected constant ${pairConstants.side} of 1 (real) or 0 (generated), got ${side}`,
    );
  return side;
}

function rowOf(logprobs: readonly Float64Array[], data: readonly Datum[], row: number): PairRow {
  const datum = data[row];
  if (datum === undefined) throw lossInputError(`row ${row}: expected a datum, got none`);
  const positions = [...datum.weights.keys()].filter((position) => (datum.weights[position] ?? 0) > 0);
  if (positions.length === 0)
    throw lossInputError(`row ${row}: expected at least one trained token, got none`);
  const sumOver = (values: ArrayLike<number>): number =>
    positions.reduce((sum, position) => sum + (values[position] ?? 0), 0);
  const reference = constantOf(datum, pairConstants.reference, row);
  return {
    row,
    positions,
    policy: sumOver(logprobs[row] ?? []),
    reference: typeof reference === "number" ? reference : sumOver(reference),
  };
}
