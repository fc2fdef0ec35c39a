/**
 * Advantages relative to a group: rows that answer one question, or play one seat, are compared with
 * each other alone. Also whitening of advantages over a whole batch.
 */
import { lossInputError } from "./loss-input.ts";
import { reinforceAdvantages } from "./reinforce-advantages.ts";
import { deviationOf, meanOf, type DeviationKind } from "./statistics.ts";

export interface GroupAdvantageOptions {
  /** `mean`: over the group, the row included; `leave-one-out`: over the others. Default `mean`. */
  readonly baseline?: "mean" | "leave-one-out";
  /** Divides by the group's deviation; left out: no division, so easy and hard groups weigh as they are. */
  readonly deviation?: DeviationKind;
  /** Added to the deviation. Default 1e-6. */
  readonly epsilon?: number;
}

/**
 * (reward - baseline of its group) / (deviation of its group + epsilon). A group of one, or of equal
 * rewards, has advantage 0.
 *
 * @shape rewards, groupIds `[B]` in, `[B]` out
 * @paper arXiv:2402.03300v3 section 4.1.2 with a deviation; arXiv:2503.20783v2 section 3.2 without
 */
export function groupAdvantages(
  rewards: readonly number[],
  groupIds: readonly string[],
  options: GroupAdvantageOptions = {},
): Float64Array {
  if (groupIds.length !== rewards.length) {
    throw lossInputError(`group advantages: expected ${rewards.length} group ids, got ${groupIds.length}`);
  }
  const advantages = new Float64Array(rewards.length);
  for (const rows of rowsByGroup(groupIds).values()) {
    const groupRewards = rows.map((row) => rewards[row] ?? 0);
    const centred = reinforceAdvantages(
      groupRewards,
      options.baseline === "leave-one-out" ? "leave-one-out" : "batch-mean",
    );
    const scale =
      options.deviation === undefined
        ? 1
        : deviationOf(groupRewards, options.deviation) + (options.epsilon ?? 1e-6);
    rows.forEach((row, index) => {
      advantages[row] = rows.length === 1 ? 0 : (centred[index] ?? 0) / scale;
    });
  }
  return advantages;
}

/**
 * Values shifted to mean 0 and scaled to deviation 1 over the batch.
 *
 * @shape `[N]` in and out
 */
export function whiten(
  values: ArrayLike<number>,
  options: { readonly deviation?: DeviationKind; readonly epsilon?: number } = {},
): Float64Array {
  const mean = meanOf(values);
  const scale = deviationOf(values, options.deviation ?? "population") + (options.epsilon ?? 1e-8);
  return Float64Array.from(values, (value) => (value - mean) / scale);
}

function rowsByGroup(groupIds: readonly string[]): Map<string, number[]> {
  return Map.groupBy(
    groupIds.map((_groupId, row) => row),
    (row) => groupIds[row] ?? "",
  );
}
