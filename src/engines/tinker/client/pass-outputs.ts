/** Outputs of a pass: read from a result, and put together from chunks. */
import { unexpectedAnswer } from "../errors.ts";
import type { RawResult } from "../transport/futures.ts";
import { parseAnswer, passJsonAnswer } from "../wire/answers.ts";
import type { PassOutput } from "../wire/data.ts";
import { decodePassOutput } from "../wire/results.ts";

/** @throws `unexpected-answer` where it has not one output per row */
export function readPassOutput(result: RawResult, what: string, rowCount: number): PassOutput {
  const where = `the result of ${what}`;
  const output =
    result.kind === "binary"
      ? decodePassOutput(result.bytes, where)
      : parseAnswer(passJsonAnswer, result.value, where);
  if (output.rows.length === rowCount) return output;
  throw unexpectedAnswer(where, `outputs of ${rowCount} rows`, `${output.rows.length}`);
}

/** Rows end to end, metrics combined as their names say. */
export function combineOutputs(outputs: readonly PassOutput[]): PassOutput {
  const [first] = outputs;
  if (first === undefined || outputs.length === 1) return first ?? { rows: [], metrics: {} };
  const metrics = Object.keys(first.metrics).flatMap((name) => combineMetric(name, outputs));
  return { rows: outputs.flatMap(({ rows }) => rows), metrics: Object.fromEntries(metrics) };
}

/** The end of a name says how values of several chunks become one; a metric that does not say it is left out. */
function combineMetric(name: string, outputs: readonly PassOutput[]): [string, number][] {
  const values = outputs.map(({ metrics }) => metrics[name] ?? Number.NaN);
  const weights = outputs.map(({ rows }) => rows.length);
  switch (name.split(":").at(-1)) {
    case "sum":
      return [[name, values.reduce((sum, value) => sum + value, 0)]];
    case "min":
      return [[name, Math.min(...values)]];
    case "max":
      return [[name, Math.max(...values)]];
    case "mean": {
      const total = weights.reduce((sum, weight) => sum + weight, 0);
      return [[name, values.reduce((sum, value, index) => sum + value * (weights[index] ?? 0), 0) / total]];
    }
    default:
      return [];
  }
}
