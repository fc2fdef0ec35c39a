/** Draws a plan for people. */
import { formatBytes, formatCount } from "../terminal/format.ts";
import type { Style } from "../terminal/style.ts";
import { formatTable } from "../terminal/table.ts";
import { oneLine } from "../terminal/text.ts";
import type { EngineFit, OptionValue, PlanReport } from "./report.ts";

export interface PlanTextOptions {
  readonly style: Style;
  readonly maximumWidth: number;
}

export function planLines(report: PlanReport, options: PlanTextOptions): string[] {
  const { style } = options;
  const paper = report.paper === null ? "" : ` (${report.paper})`;
  const section = (title: string, lines: readonly string[]): string[] =>
    lines.length === 0 ? [] : ["", style.heading(title), ...lines];
  return [
    `${style.heading(oneLine(report.title))}${paper}`,
    `recipe ${report.recipe}, preset ${report.preset}, engine ${report.engine}`,
    ...section("What it will do", quantityLines(report, options)),
    ...section(
      "Steps",
      report.plan.steps.map((step, index) => `${String(index + 1).padStart(3)}  ${oneLine(step)}`),
    ),
    ...section(
      "Engines",
      report.engines.map((fit) => engineLine(fit, style)),
    ),
    ...section("Needs", report.needs.length === 0 ? ["nothing special"] : [report.needs.join(", ")]),
    ...section(
      "Inputs",
      report.inputs.map(
        ({ input, state }) => `${state === "missing" ? style.bad(state) : state}  ${oneLine(input)}`,
      ),
    ),
    ...section(
      "Departures from the paper",
      report.departures.map((line) => `- ${oneLine(line)}`),
    ),
    ...section("Options", optionLines(report.options, options)),
  ];
}

function quantityLines({ plan }: PlanReport, options: PlanTextOptions): string[] {
  const rows = plan.lines.map(({ name, value, unit }) => [
    name,
    typeof value === "number" ? formatCount(value) : value,
    unit ?? "",
  ]);
  const size = (bytes: number | null): string => (bytes === null ? "unknown" : formatBytes(bytes));
  rows.push(["memory of the engine", size(plan.memoryBytes), ""], ["disk", size(plan.diskBytes), ""]);
  return formatTable([{ name: "quantity" }, { name: "value" }, { name: "unit" }], rows, options.maximumWidth);
}

function engineLine(fit: EngineFit, style: Style): string {
  if (fit.problem !== null)
    return `${fit.id}: ${style.warning("unknown")}, it does not start here: ${oneLine(fit.problem)}`;
  return fit.missing.length === 0
    ? `${fit.id}: ${style.good("has all that is needed")}`
    : `${fit.id}: ${style.bad("lacks")} ${fit.missing.join(", ")}`;
}

function optionLines(values: readonly OptionValue[], options: PlanTextOptions): string[] {
  const rows = values.map(({ name, value, source, unit, description }) => [
    name,
    JSON.stringify(value),
    source,
    unit ?? "",
    description,
  ]);
  const columns = [
    { name: "option" },
    { name: "value" },
    { name: "from" },
    { name: "unit" },
    { name: "meaning" },
  ];
  return formatTable(columns, rows, options.maximumWidth);
}
