/**
 * Tables that grow row by row: each row is printed as it comes, so widths are chosen from the header
 * and the first row and only widen. Numbers stand to the right, text to the left. Returns lines;
 * knows no stream.
 */
import { align, cut, oneLine, widthOf } from "./text.ts";

export interface Column {
  readonly name: string;
  /** Digits after the point for numbers; numbers of a column without digits are shown as they are. */
  readonly digits?: number;
}

export type TableCell = string | number | null;

export interface GrowingTable {
  /** The lines of the next row; before the first one, title and header. */
  row(cells: readonly TableCell[]): string[];
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
  let layout: { widths: number[]; sides: ("left" | "right")[] } | null = null;

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
    row: (cells) => {
      const texts = columns.map((column, index) => showCell(cells[index] ?? null, column));
      const isFirst = layout === null;
      layout = isFirst ? firstLayout(options, cells, texts) : layout;
      widen(layout?.widths ?? [], layout?.sides ?? [], texts, options.maximumWidth);
      return isFirst ? [...header(), line(texts)] : [line(texts)];
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
  rows.forEach((cells) => table.row(cells));
  return rows.length === 0 ? [] : [...table.header(), ...rows.flatMap((cells) => table.row(cells))];
}

function firstLayout(
  options: GrowingTableOptions,
  cells: readonly TableCell[],
  texts: readonly string[],
): { widths: number[]; sides: ("left" | "right")[] } {
  const isNumber = options.columns.map((column, index) => {
    const cell = cells[index] ?? null;
    return cell === null ? column.digits !== undefined : typeof cell === "number";
  });
  const widths = options.columns.map((column, index) =>
    Math.max(widthOf(oneLine(column.name)), widthOf(texts[index] ?? "")),
  );
  return { widths, sides: isNumber.map((right) => (right ? "right" : "left")) };
}

/** Grows widths to hold a row, then takes from the widest text column what the line cannot hold. */
function widen(
  widths: number[],
  sides: readonly string[],
  texts: readonly string[],
  maximumWidth: number,
): void {
  texts.forEach((text, index) => {
    const width = widthOf(text);
    const current = widths[index] ?? 0;
    if (width > current) widths[index] = sides[index] === "right" ? width + numberGrowth : width;
  });
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
