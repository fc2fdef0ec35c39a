/** Rows to groups, groups to micro-batches, weights to means. Pure. */
import type { Datum } from "../contract/index.ts";

/**
 * What the weights of an update are divided by: `sum` nothing, `mean-per-group` the number of groups,
 * `mean-per-token` the number of tokens with a weight. Always of the whole update.
 */
export type Reduction = "sum" | "mean-per-group" | "mean-per-token";

/** Rows by group, in the order of their first rows. */
export function groupsOf(data: readonly Datum[]): readonly (readonly Datum[])[] {
  const groups = new Map<string | number, Datum[]>();
  for (const [row, datum] of data.entries()) {
    const key = datum.groupId ?? row;
    const group = groups.get(key);
    if (group === undefined) groups.set(key, [datum]);
    else group.push(datum);
  }
  return [...groups.values()];
}

/** Whole groups together while they fit; a group that is too large for itself goes alone. */
export function microBatches(
  groups: readonly (readonly Datum[])[],
  maximumRows: number,
): readonly (readonly Datum[])[] {
  const batches: Datum[][] = [];
  for (const group of groups) {
    const last = batches.at(-1);
    if (last !== undefined && last.length + group.length <= maximumRows) last.push(...group);
    else batches.push([...group]);
  }
  return batches;
}

/** The rows with weights that make the sum over the update a mean. */
export function scaleWeights(
  groups: readonly (readonly Datum[])[],
  reduction: Reduction,
  counts: { readonly groupCount: number; readonly tokenCount: number },
): readonly (readonly Datum[])[] {
  if (reduction === "sum") return groups;
  const count = Math.max(1, reduction === "mean-per-group" ? counts.groupCount : counts.tokenCount);
  return groups.map((group) =>
    group.map((datum) => ({ ...datum, weights: datum.weights.map((weight) => weight / count) })),
  );
}
