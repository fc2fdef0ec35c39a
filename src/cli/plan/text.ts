/** Draws a plan for people. */
import { formatBytes, formatCount } from "../terminal/format.ts";
import type { Style } from "../terminal/style.ts";
import { definitionLines } from "../terminal/definitions.ts";
import { oneLine } from "../terminal/text.ts";
import { wrap } from "../terminal/wrap.ts";
import { capabilityMeanings } from "../../contract/index.ts";
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
    `recipe ${report.recipe}, preset ${report.preset}, engine ${report.engine}, seed ${report.seed}`,
    ...section("What it will do", quantityLines(report, options)),
    ...section(
      "Steps",
      report.plan.steps.map((step, index) => `${String(index + 1).padStart(3)}  ${oneLine(step)}`),
    ),
    ...section(
      "Engines",
      report.engines.map((fit) => engineLine(fit, style)),
    ),
    ...section("Needs of the engine", needLines(report, options)),
    ...section(
      "Inputs",
      report.inputs.map(
        ({ input, state, hint }) =>
          `${state === "missing" ? style.bad(state) : state}  ${oneLine(input)}${hint === null ? "" : `: ${oneLine(hint)}`}`,
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
  const rows = plan.lines.map(({ name, value, unit }): [string, string] => {
    const text = typeof value === "number" ? formatCount(value) : value;
    return [name, unit === undefined ? text : `${text} ${unit}`];
  });
  const size = (bytes: number | null): string => (bytes === null ? "unknown" : formatBytes(bytes));
  rows.push(["memory of the engine", size(plan.memoryBytes)], ["disk", size(plan.diskBytes)]);
  return definitionLines(rows, options.maximumWidth);
}

function needLines({ needs }: PlanReport, options: PlanTextOptions): string[] {
  if (needs.length === 0) return ["nothing special"];
  const rows = needs.map((capability): [string, string] => [capability, capabilityMeanings[capability]]);
  return definitionLines(rows, options.maximumWidth);
}

function engineLine(fit: EngineFit, style: Style): string {
  if (fit.isPlanned) return `${fit.id}: ${style.warning("planned")}, not in this version`;
  if (fit.problem !== null) return `${fit.id}: ${style.warning("unknown")}, ${oneLine(fit.problem)}`;
  if (fit.missing.length > 0) return `${fit.id}: ${style.bad("lacks")} ${fit.missing.join(", ")}`;
  const first = fit.setUpCommand === null ? "" : `; first type: ${style.command(fit.setUpCommand)}`;
  return `${fit.id}: ${style.good("has all that is needed")}${first}`;
}

const indent = "    ";

const origins: Readonly<Record<OptionValue["source"], string>> = {
  default: "default",
  preset: "preset",
  set: "you",
};

/**
 * The value on a line of its own, its meaning below: values and meanings may both be long. What has no effect
 * is named at the end, unless it was set by hand: whoever sets it shall see that it does nothing.
 */
function optionLines(values: readonly OptionValue[], options: PlanTextOptions): string[] {
  const shown = values.filter(({ isUsed, source }) => isUsed || source === "set");
  const unused = values.filter((value) => !shown.includes(value)).map(({ name }) => name);
  const { style, maximumWidth } = options;
  return [
    ...shown.flatMap((value) => optionText(value, options)),
    ...(unused.length === 0
      ? []
      : wrap(`without effect here: ${unused.join(", ")}`, maximumWidth).map((line) => style.faint(line))),
  ];
}

function optionText(option: OptionValue, { style, maximumWidth }: PlanTextOptions): string[] {
  const { name, value, source, unit, choices, isUsed, description } = option;
  const notes = [
    origins[source],
    ...(unit === null ? [] : [unit]),
    ...(choices === null ? [] : [`of ${choices.join(", ")}`]),
    ...(isUsed ? [] : ["without effect here"]),
  ];
  const meaning = description === "" ? [] : wrap(oneLine(description), maximumWidth - indent.length);
  return [
    `${name} = ${oneLine(JSON.stringify(value))}${style.faint(` (${oneLine(notes.join("; "))})`)}`,
    ...meaning.map((line) => style.faint(`${indent}${line}`)),
  ];
}
