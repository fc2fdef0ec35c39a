/**
 * Prints what a recipe reports, as it comes: notes, tables that grow row by row, charts. Rows that are
 * told in one go, without anything in between, are laid out together.
 */
import type { ReportEvent } from "../../train/index.ts";
import { formatChart } from "../terminal/chart.ts";
import type { Screen } from "../terminal/screen.ts";
import { createTable, type GrowingTable, type TableCell } from "../terminal/table.ts";
import { manyLines } from "../terminal/text.ts";

export interface ReportWriter {
  write(event: ReportEvent): void;
  /** Prints rows that wait for others of the same moment. */
  flush(): void;
}

/** Charts need a width also where the output has none. */
const widestChart = 100;

/** Of a table where the output is no terminal: a log is read by people too, and the whole texts are in the run. */
const widestTable = 200;

export function createReportWriter(screen: Screen): ReportWriter {
  const tables = new Map<string, GrowingTable>();
  const waiting: (readonly TableCell[])[] = [];
  let current: string | null = null;
  const { style } = screen;

  const flush = (): void => {
    const table = current === null ? undefined : tables.get(current);
    if (waiting.length === 0 || table === undefined) return;
    screen.print(...table.rows(waiting.splice(0)));
  };
  /** Something else comes: a table that goes on afterwards repeats its header. */
  const leaveTable = (): void => {
    flush();
    current = null;
  };
  const writeRow = (name: string, cells: readonly TableCell[]): void => {
    const table = tables.get(name);
    if (table === undefined) return;
    if (current !== name) {
      leaveTable();
      screen.print("", ...table.header());
      current = name;
    }
    if (waiting.length === 0) queueMicrotask(flush);
    waiting.push(cells);
  };

  return {
    flush,
    write: (event) => {
      switch (event.kind) {
        case "note":
          leaveTable();
          screen.print(manyLines(event.text));
          return;
        case "table-start":
          tables.set(
            event.table,
            createTable({
              ...event,
              maximumWidth: Number.isFinite(screen.maximumWidth) ? screen.maximumWidth : widestTable,
              styleHeading: (text) => style.heading(text),
            }),
          );
          return;
        case "table-row":
          writeRow(event.table, event.cells);
          return;
        case "chart": {
          leaveTable();
          const maximumWidth = Math.min(widestChart, screen.maximumWidth);
          screen.print("", ...formatChart({ ...event, style, maximumWidth }), "");
        }
      }
    },
  };
}
