/**
 * Plain-text line charts of a few series. Each line is named where it ends, so that a chart can be
 * read without colours. Returns lines; knows no stream.
 */
import { plot } from "asciichart";
import type { Style } from "./style.ts";
import { oneLine } from "./text.ts";

export interface ChartSeries {
  readonly name: string;
  readonly values: readonly number[];
}

export interface ChartOptions {
  readonly title: string;
  readonly horizontalAxis: string;
  /** Where on the axis the values stand, evenly spaced; left out, the axis has no numbers. */
  readonly horizontalValues?: readonly number[];
  readonly series: readonly ChartSeries[];
  readonly maximumWidth: number;
  readonly style: Style;
}

const plotRows = 9;
const widestPlot = 60;
const narrowestPlot = 10;
const roomForNames = 22;

export function formatChart(options: ChartOptions): string[] {
  const { style } = options;
  const title = style.heading(oneLine(options.title));
  const series = options.series.map(({ name, values }) => ({
    name: oneLine(name),
    values: values.filter(Number.isFinite),
  }));
  const drawn = series.filter(({ values }) => values.length > 0);
  if (drawn.length === 0) return [title, "(no values)"];
  const range = rangeOf(drawn.flatMap(({ values }) => values));
  const digits = digitsFor(range.maximum - range.minimum);
  const labelWidth = Math.max(range.minimum.toFixed(digits).length, range.maximum.toFixed(digits).length);
  const plotWidth = Math.max(
    narrowestPlot,
    Math.min(widestPlot, options.maximumWidth - labelWidth - roomForNames),
  );
  const longest = Math.max(...drawn.map(({ values }) => values.length));
  const lines = plot(
    drawn.map(({ values }) =>
      stretch(values, Math.max(2, Math.round((plotWidth * values.length) / longest))),
    ),
    {
      min: range.minimum,
      max: range.maximum,
      height: plotRows - 1,
      offset: 2,
      colors: drawn.map((_series, index) => colourOf(style, index)),
      format: (value) => value.toFixed(digits).padStart(labelWidth),
    },
  ).split("\n");
  const axis = axisLine(options, { labelWidth, plotWidth, pointCount: longest });
  return [title, ...nameLines(lines, drawn, range, style), style.faint(axis)];
}

interface AxisPlace {
  readonly labelWidth: number;
  readonly plotWidth: number;
  readonly pointCount: number;
}

const columnsPerNumber = 6;

/** Numbers below the points that they belong to, as many as are easily read, and what they count. */
function axisLine(options: ChartOptions, { labelWidth, plotWidth, pointCount }: AxisPlace): string {
  const name = oneLine(options.horizontalAxis);
  const numbers = options.horizontalValues?.slice(0, pointCount) ?? [];
  if (numbers.length < 2 || numbers.length < pointCount) return `${" ".repeat(labelWidth + 2)}${name} →`;
  const last = numbers.length - 1;
  const stride = Math.ceil((last * columnsPerNumber) / plotWidth);
  let line = "";
  for (let point = 0; point <= last; point += stride) {
    const text = String(numbers[point]);
    // The first point of a line lies on the axis itself, in the column after the labels.
    const column = labelWidth + Math.round((point * (plotWidth - 1)) / last);
    const start = Math.max(
      line.length === 0 ? 0 : line.length + 1,
      column - Math.floor((text.length - 1) / 2),
    );
    line = line.padEnd(start) + text;
  }
  return `${line}  ${name} →`;
}

interface Range {
  readonly minimum: number;
  readonly maximum: number;
}

/** A flat series gets room above and below, so that it is drawn as a line in the middle. */
function rangeOf(values: readonly number[]): Range {
  const minimum = Math.min(...values);
  const maximum = Math.max(...values);
  const room = minimum === maximum ? Math.max(Math.abs(minimum) * 0.1, 1e-3) : 0;
  return { minimum: minimum - room, maximum: maximum + room };
}

function digitsFor(range: number): number {
  return Math.min(6, Math.max(0, 2 - Math.floor(Math.log10(range))));
}

/** Linear interpolation onto `width` points. */
function stretch(values: readonly number[], width: number): number[] {
  const last = values.length - 1;
  return Array.from({ length: width }, (_value, column) => {
    const position = (column * last) / (width - 1);
    const left = values[Math.floor(position)] ?? 0;
    const right = values[Math.ceil(position)] ?? left;
    return left + (right - left) * (position - Math.floor(position));
  });
}

/** Appends the name of each series to the row on which its line ends. */
function nameLines(
  lines: readonly string[],
  series: readonly ChartSeries[],
  range: Range,
  style: Style,
): string[] {
  // The arithmetic of asciichart, so that names and lines meet.
  const ratio = (plotRows - 1) / (range.maximum - range.minimum);
  const rowOf = ({ values }: ChartSeries): number =>
    Math.round(range.maximum * ratio) - Math.round((values.at(-1) ?? range.minimum) * ratio);
  return lines.map((line, row) => {
    const names = series.flatMap((one, index) => (rowOf(one) === row ? [paint(style, index, one.name)] : []));
    return names.length === 0 ? line.trimEnd() : `${line} ${names.join(", ")}`;
  });
}

function colourOf(style: Style, index: number): string | undefined {
  return style.seriesColours.length === 0
    ? undefined
    : style.seriesColours[index % style.seriesColours.length];
}

function paint(style: Style, index: number, text: string): string {
  const colour = colourOf(style, index);
  return colour === undefined ? text : `${colour}${text}\u001b[0m`;
}
