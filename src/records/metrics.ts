/** Metrics: `area/quantity/statistic`, units in the name, one row per name and step. */

export interface Metric {
  /** The durable step that reported it. */
  readonly stepName: string;
  /** Position on the chart's horizontal axis: an iteration, an update. */
  readonly index: number;
  readonly name: string;
  readonly value: number;
}

const metricName = /^[a-z][A-Za-z0-9-]*(\/[a-z][A-Za-z0-9-]*){1,3}$/;

/** Whether a name has the form `area/quantity` or `area/quantity/statistic`. */
export function isMetricName(name: string): boolean {
  return metricName.test(name);
}
