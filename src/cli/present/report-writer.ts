/** Prints what a recipe reports, as it comes: notes, tables that grow row by row, charts. */
import type { ReportEvent } from "../../train/index.ts";
import { formatChart } from "../terminal/chart.ts";
import type { Screen } from "../terminal/screen.ts";
import { createTable, type GrowingTable } from "../terminal/table.ts";
import { manyLines } from "../terminal/text.ts";

export type ReportWriter = (event: ReportEvent) => void;

/** Charts need a width also where the output has none. */
const widestChart = 100;

/** A table that goes on after something else was printed repeats its header. */
export function createReportWriter(screen: Screen): ReportWriter {
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
            title: event.title,
            columns: event.columns,
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
      case "chart": {
        current = null;
        const maximumWidth = Math.min(widestChart, screen.maximumWidth);
        screen.print("", ...formatChart({ ...event, style, maximumWidth }), "");
      }
    }
  };
}
