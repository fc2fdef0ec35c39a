/**
 * Metrics of losses are sums, so that those of micro-batches add up to those of the batch; means are
 * made once, at the end.
 */

export type MetricSums = Readonly<Record<string, number>>;

/** The sums of several micro-batches together. */
export function addMetrics(...parts: readonly MetricSums[]): Record<string, number> {
  const total: Record<string, number> = {};
  for (const part of parts) {
    for (const [name, value] of Object.entries(part)) total[name] = (total[name] ?? 0) + value;
  }
  return total;
}

/**
 * Every `name/sum` divided by the count that stands under `countName`, as `name/mean`. Nothing where
 * nothing was counted.
 */
export function meansOf(sums: MetricSums, countName: string): Record<string, number> {
  const count = sums[countName] ?? 0;
  if (count === 0) return {};
  const suffix = "/sum";
  const means = Object.entries(sums)
    .filter(([name]) => name.endsWith(suffix) && name !== countName)
    .map(([name, sum]): [string, number] => [`${name.slice(0, -suffix.length)}/mean`, sum / count]);
  return Object.fromEntries(means);
}
