/** Shows a run to people: header, tables that grow, charts, notes, progress, and what to do next. */
import type { Clock, JsonValue } from "../../base/index.ts";
import type { ReportEvent } from "../../train/report.ts";
import { formatChart } from "../terminal/chart.ts";
import { formatDuration } from "../terminal/format.ts";
import type { Screen } from "../terminal/screen.ts";
import { createTable, formatTable, type GrowingTable } from "../terminal/table.ts";
import { manyLines, oneLine } from "../terminal/text.ts";
import type { Presenter, RunHeader, RunSummary } from "./presenter.ts";
import { createProgressDisplay } from "./progress-display.ts";

export interface TextPresenterOptions {
  readonly screen: Screen;
  readonly clock: Clock;
  readonly isQuiet: boolean;
}

/** Charts need some width also where the output has none. */
const chartWidth = 100;
const redrawEveryMs = 200;

export function createTextPresenter(options: TextPresenterOptions): Presenter {
  const { screen } = options;
  const display = createProgressDisplay(options);
  const timer = setInterval(() => display.tick(), redrawEveryMs);
  timer.unref();
  const report = createReportWriter(screen);

  return {
    header: (header) => screen.print(...headerLines(header, screen)),
    report,
    stepStart: (name) => display.step(name),
    stepEnd: () => display.step(null),
    metric: () => undefined,
    progress: (stepName, progressOptions) => display.start(stepName, progressOptions),
    summary: (summary) => {
      display.end();
      screen.print(...summaryLines(summary, screen));
    },
    end: () => {
      clearInterval(timer);
      display.end();
    },
  };
}

/** Prints report events; a table that goes on after something else repeats its header. */
export function createReportWriter(screen: Screen): (event: ReportEvent) => void {
  const tables = new Map<string, GrowingTable>();
  let current: string | null = null;
  const { style } = screen;
  return (event) => {
    switch (event.kind) {
      case "note":
        current = null;
        screen.print(manyLines(event.text));
        return;
      case "table-start":
        tables.set(
          event.table,
          createTable({
            ...event,
            maximumWidth: screen.maximumWidth,
            styleHeading: (text) => style.heading(text),
          }),
        );
        return;
      case "table-row": {
        const table = tables.get(event.table);
        if (table === undefined) return;
        if (current !== event.table) screen.print("", ...table.header());
        current = event.table;
        screen.print(...table.row(event.cells));
        return;
      }
      case "chart":
        current = null;
        screen.print(
          "",
          ...formatChart({ ...event, style, maximumWidth: Math.min(chartWidth, screen.maximumWidth) }),
          "",
        );
    }
  };
}

function headerLines(header: RunHeader, screen: Screen): string[] {
  const { style } = screen;
  const rows = [
    ["recipe", header.recipe],
    ["preset", header.preset],
    ["engine", header.engine],
    ["threads", String(header.threadCount)],
    ["seed", String(header.seed)],
    ["folder", header.folder + (header.isResumed ? " (resumed)" : "")],
  ];
  const [, ...lines] = formatTable([{ name: "" }, { name: "" }], rows, screen.maximumWidth);
  return [style.heading(oneLine(header.title)), ...lines];
}

function summaryLines(summary: RunSummary, screen: Screen): string[] {
  const { style } = screen;
  const result = resultLines(summary.result);
  return [
    "",
    ...(result.length === 0 ? [] : [style.heading("Result"), ...result, ""]),
    `done in ${formatDuration(summary.elapsedMs)}; everything is in ${summary.folder}`,
    ...(summary.next.length === 0
      ? []
      : ["next:", ...summary.next.map((command) => `  ${style.command(command)}`)]),
  ];
}

/** A flat object as a table, anything else as JSON; nothing where there is no result. */
function resultLines(result: JsonValue): string[] {
  if (result === null) return [];
  if (typeof result !== "object" || Array.isArray(result)) return [manyLines(JSON.stringify(result))];
  const rows = Object.entries(result).map(([name, value]) => [
    name,
    typeof value === "string" ? value : JSON.stringify(value),
  ]);
  return formatTable([{ name: "" }, { name: "" }], rows).slice(1);
}
