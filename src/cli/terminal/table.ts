/**
 * Tables that grow row by row: rows are printed as they come, so widths are chosen from the header and
 * the rows of the first print and only widen. Numbers stand to the right, text to the left. Returns
 * lines; knows no stream.
 */
import { align, cut, oneLine, widthOf } from "./text.ts";

export interface Column {
  readonly name: string;
  /** Digits after the point for numbers; numbers of a column without digits are shown as they are. */
  readonly digits?: number;
}

export type TableCell = string | number | null;

export interface GrowingTable {
  /** The lines of further rows, which are laid out together; before the first ones, title and header. */
  rows(rows: readonly (readonly TableCell[])[]): string[];
  /** Title and header once more, for a table that goes on after something else was printed. */
  header(): string[];
}

export interface GrowingTableOptions {
  readonly title: string;
  readonly columns: readonly Column[];
  /** Widest line; text columns are cut to fit. Infinite where the output is not a terminal. */
  readonly maximumWidth: number;
  readonly styleHeading: (text: string) => string;
}

const gap = "  ";
const narrowestText = 8;
const numberGrowth = 2;

/** What an empty cell shows. */
const nothing = "-";

export function createTable(options: GrowingTableOptions): GrowingTable {
  const { columns } = options;
  let layout: Layout | null = null;

  const line = (texts: readonly string[]): string => {
    const { widths, sides } = layout ?? { widths: [], sides: [] };
    const cells = columns.map((_column, index) => {
      const width = widths[index] ?? 0;
      return align(cut(texts[index] ?? "", width), width, sides[index] ?? "left");
    });
    return cells.join(gap).trimEnd();
  };
  const header = (): string[] => {
    const title = options.title === "" ? [] : [options.styleHeading(oneLine(options.title))];
    return layout === null ? [] : [...title, line(columns.map((column) => oneLine(column.name)))];
  };

  return {
    header,
    rows: (rows) => {
      const texts = rows.map((cells) =>
        columns.map((column, index) => showCell(cells[index] ?? null, column)),
      );
      const isFirst = layout === null;
      layout ??= firstLayout(columns, rows);
      for (const row of texts) widen(layout, row);
      shrink(layout, options.maximumWidth);
      return [...(isFirst ? header() : []), ...texts.map(line)];
    },
  };
}

/** A whole table at once: every column as wide as its widest cell. */
export function formatTable(
  columns: readonly Column[],
  rows: readonly (readonly TableCell[])[],
  maximumWidth: number = Number.POSITIVE_INFINITY,
): string[] {
  const table = createTable({ title: "", columns, maximumWidth, styleHeading: (text) => text });
  return rows.length === 0 ? [] : table.rows(rows);
}

interface Layout {
  readonly widths: number[];
  readonly sides: readonly ("left" | "right")[];
  /** True once lines were printed: columns that grow then take some room for the next rows. */
  hasRows: boolean;
}

function firstLayout(columns: readonly Column[], rows: readonly (readonly TableCell[])[]): Layout {
  const sides = columns.map((_column, index): "left" | "right" => {
    const cell = rows.map((cells) => cells[index] ?? null).find((one) => one !== null);
    // A column that begins empty is most likely one of numbers.
    return typeof cell === "string" ? "left" : "right";
  });
  return { widths: columns.map((column) => widthOf(oneLine(column.name))), sides, hasRows: false };
}

/** Grows the columns to hold a row. */
function widen(layout: Layout, texts: readonly string[]): void {
  const { widths, sides, hasRows } = layout;
  texts.forEach((text, index) => {
    const width = widthOf(text);
    if (width > (widths[index] ?? 0)) {
      widths[index] = hasRows && sides[index] === "right" ? width + numberGrowth : width;
    }
  });
}

/** Takes from the widest text columns what a line cannot hold. */
function shrink(layout: Layout, maximumWidth: number): void {
  const { widths, sides } = layout;
  layout.hasRows = true;
  let excess =
    widths.reduce((sum, width) => sum + width, 0) + gap.length * (widths.length - 1) - maximumWidth;
  while (excess > 0) {
    const widest = widestText(widths, sides);
    if (widest === null) return;
    const current = widths[widest] ?? 0;
    const taken = Math.min(excess, current - narrowestText);
    widths[widest] = current - taken;
    excess -= taken;
  }
}

function widestText(widths: readonly number[], sides: readonly string[]): number | null {
  let widest: number | null = null;
  widths.forEach((width, index) => {
    if (sides[index] !== "left" || width <= narrowestText) return;
    if (widest === null || width > (widths[widest] ?? 0)) widest = index;
  });
  return widest;
}

function showCell(cell: TableCell, column: Column): string {
  if (cell === null) return nothing;
  if (typeof cell === "string") return oneLine(cell);
  return column.digits === undefined || !Number.isFinite(cell) ? String(cell) : cell.toFixed(column.digits);
}

/** A table of columns by name, or the word `none` where it has no rows. */
export function listingTable(
  names: readonly string[],
  rows: readonly (readonly string[])[],
  maximumWidth: number,
): string[] {
  if (rows.length === 0) return ["none"];
  return formatTable(
    names.map((name) => ({ name })),
    rows,
    maximumWidth,
  );
}
