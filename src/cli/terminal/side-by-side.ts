/** Two texts beside each other, each wrapped in its column. Returns lines; knows no stream. */
import { align, manyLines, widthOf } from "./text.ts";

const between = " │ ";

export interface SideBySideOptions {
  readonly left: string;
  readonly right: string;
  readonly maximumWidth: number;
}

/** Columns of equal width; where there is no width to keep to, as wide as the longest line. */
export function sideBySide(options: SideBySideOptions): string[] {
  const half = Math.floor((options.maximumWidth - between.length) / 2);
  const left = wrap(manyLines(options.left), half);
  const right = wrap(manyLines(options.right), half);
  const width = Number.isFinite(half) ? half : Math.max(0, ...left.map(widthOf));
  return Array.from({ length: Math.max(left.length, right.length) }, (_line, index) =>
    `${align(left[index] ?? "", width, "left")}${between}${right[index] ?? ""}`.trimEnd(),
  );
}

const graphemes = new Intl.Segmenter("en", { granularity: "grapheme" });

/** Breaks lines that are wider than a column, at a space where there is one. */
export function wrap(text: string, width: number): string[] {
  return text
    .replaceAll("\t", "    ")
    .split("\n")
    .flatMap((line) => wrapLine(line, Math.max(2, width)));
}

function wrapLine(line: string, width: number): string[] {
  const lines: string[] = [];
  let current = "";
  for (const { segment } of graphemes.segment(line)) {
    if (widthOf(current + segment) <= width) {
      current += segment;
      continue;
    }
    const space = current.lastIndexOf(" ");
    const isBreakable = space > 0 && segment !== " ";
    lines.push(isBreakable ? current.slice(0, space) : current);
    current = (isBreakable ? current.slice(space + 1) : "") + (segment === " " ? "" : segment);
  }
  return [...lines, current];
}
