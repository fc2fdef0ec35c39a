/** Numbers for people: durations, bytes, rates, counts. Pure; used by everything that prints. */

/** `7 s`, `3:05`, `1:02:09`; tenths below ten seconds. */
export function formatDuration(durationMs: number): string {
  if (!Number.isFinite(durationMs)) return "unknown";
  const seconds = Math.max(0, durationMs) / 1000;
  if (seconds < 9.95) return `${seconds.toFixed(1)} s`;
  const whole = Math.round(seconds);
  if (whole < 60) return `${whole} s`;
  const twoDigits = (value: number): string => String(value).padStart(2, "0");
  const hours = Math.floor(whole / 3600);
  const minutes = Math.floor((whole % 3600) / 60);
  return hours === 0
    ? `${minutes}:${twoDigits(whole % 60)}`
    : `${hours}:${twoDigits(minutes)}:${twoDigits(whole % 60)}`;
}

const byteUnits = ["B", "kB", "MB", "GB", "TB"] as const;

/** Bytes in decimal units with three significant digits: `1.25 GB`. */
export function formatBytes(bytes: number): string {
  let value = bytes;
  let unitIndex = 0;
  while (value >= 999.5 && unitIndex < byteUnits.length - 1) {
    value /= 1000;
    unitIndex++;
  }
  return `${unitIndex === 0 ? Math.round(value) : significant(value, 3)} ${byteUnits[unitIndex]}`;
}

/** A count with groups of thousands: `1,672`. */
export function formatCount(count: number): string {
  return Number.isInteger(count) ? count.toLocaleString("en-US") : significant(count, 4);
}

/** Things per second, readable at any size: `0.042`, `41.2`, `6,510`. */
export function formatRate(perSecond: number): string {
  return perSecond >= 1000 ? formatCount(Math.round(perSecond)) : significant(perSecond, 3);
}

/** `2 threads`, `1 thread`: a count and its noun. */
export function countOf(count: number, singular: string, plural: string = `${singular}s`): string {
  return `${formatCount(count)} ${count === 1 ? singular : plural}`;
}

function significant(value: number, digits: number): string {
  if (value === 0) return "0";
  const rounded = Number(value.toPrecision(digits));
  const integerDigits = Math.floor(Math.log10(Math.abs(rounded))) + 1;
  return rounded.toFixed(Math.min(20, Math.max(0, digits - integerDigits)));
}
