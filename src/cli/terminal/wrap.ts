/** Breaks text into lines of a width. Pure; knows no stream. */
import { widthOf } from "./text.ts";

const graphemes = new Intl.Segmenter("en", { granularity: "grapheme" });

/** Breaks lines that are wider than a column, at a space where there is one. */
export function wrap(text: string, width: number): string[] {
  return text
    .replaceAll("\t", "    ")
    .split("\n")
    .flatMap((line) => wrapLine(line, Math.max(2, width)));
}

function wrapLine(line: string, width: number): string[] {
  if (widthOf(line) <= width) return [line];
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
