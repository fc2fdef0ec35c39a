/** Mean, deviation and quantiles of plain numbers in float64, for advantages and telemetry. */

export type DeviationKind = "population" | "sample";

export function meanOf(values: ArrayLike<number>): number {
  let sum = 0;
  for (let index = 0; index < values.length; index++) sum += values[index] ?? 0;
  return sum / values.length;
}

/** The standard deviation; 0 where there are too few values to have one. */
export function deviationOf(values: ArrayLike<number>, kind: DeviationKind): number {
  const divisor = kind === "population" ? values.length : values.length - 1;
  if (divisor <= 0) return 0;
  const mean = meanOf(values);
  let squares = 0;
  for (let index = 0; index < values.length; index++) squares += ((values[index] ?? 0) - mean) ** 2;
  return Math.sqrt(squares / divisor);
}

/** The value below which a share of the sorted values lies, linear between neighbours. */
export function quantileOf(sorted: ArrayLike<number>, share: number): number {
  const place = share * (sorted.length - 1);
  const below = Math.floor(place);
  const low = sorted[below] ?? Number.NaN;
  const high = sorted[Math.min(below + 1, sorted.length - 1)] ?? Number.NaN;
  return low + (place - below) * (high - low);
}
