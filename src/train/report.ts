/**
 * What a recipe tells people: notes, tables that grow by rows, charts, samples. Stored as events in
 * the order of the program, so that a resumed run shows them again without storing them twice. Knows
 * no terminal: the command line and the dashboard draw them.
 */

export interface TableColumn {
  readonly name: string;
  /** Digits after the point for numbers; text as it is. */
  readonly digits?: number;
}

export type Cell = string | number | null;

export type ReportEvent =
  | { readonly kind: "note"; readonly text: string }
  | {
      readonly kind: "table-start";
      readonly table: string;
      readonly title: string;
      readonly columns: readonly TableColumn[];
    }
  | { readonly kind: "table-row"; readonly table: string; readonly cells: readonly Cell[] }
  | {
      readonly kind: "chart";
      readonly title: string;
      readonly horizontalAxis: string;
      /** Where on the axis the values stand, evenly spaced; left out, the axis has no numbers. */
      readonly horizontalValues?: readonly number[];
      readonly series: readonly { readonly name: string; readonly values: readonly number[] }[];
    };

export interface ReportTable {
  row(...cells: readonly Cell[]): void;
}

export interface Report {
  note(text: string): void;
  table(title: string, columns: readonly TableColumn[]): ReportTable;
  chart(options: Omit<Extract<ReportEvent, { kind: "chart" }>, "kind">): void;
}
