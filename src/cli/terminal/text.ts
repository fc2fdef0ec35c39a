/**
 * Text that is safe and aligned on a terminal. Samples of a model may hold anything, escape sequences
 * included: they are shown as what they are and never reach the terminal raw.
 */
import stringWidth from "string-width";

/** Control characters, line separators, and marks that turn the direction of writing. */
const controlCharacters = /[\p{Cc}\p{Zl}\p{Zp}\u200e\u200f\u202a-\u202e\u2066-\u2069]/gu;

const namedEscapes: Readonly<Record<string, string>> = { "\n": "\\n", "\r": "\\r", "\t": "\\t" };

/** One line: control characters become visible escapes. */
export function oneLine(text: string): string {
  return text.replace(controlCharacters, (character) => namedEscapes[character] ?? codeOf(character));
}

/** Several lines: the same, with line breaks and tabs kept. */
export function manyLines(text: string): string {
  return text.replace(controlCharacters, (character) =>
    character === "\n" || character === "\t" ? character : (namedEscapes[character] ?? codeOf(character)),
  );
}

function codeOf(character: string): string {
  return `\\u${(character.codePointAt(0) ?? 0).toString(16).padStart(4, "0")}`;
}

/** Columns that a text takes on a terminal. */
export function widthOf(text: string): number {
  return stringWidth(text);
}

/** Filled with spaces to a width, the text at the given side; longer text stays as it is. */
export function align(text: string, width: number, side: "left" | "right"): string {
  const fill = " ".repeat(Math.max(0, width - widthOf(text)));
  return side === "left" ? text + fill : fill + text;
}

const graphemes = new Intl.Segmenter("en", { granularity: "grapheme" });

/** Cut to a width, the cut shown by an ellipsis. */
export function cut(text: string, width: number): string {
  if (widthOf(text) <= width) return text;
  let kept = "";
  let keptWidth = 0;
  for (const { segment } of graphemes.segment(text)) {
    const segmentWidth = widthOf(segment);
    if (keptWidth + segmentWidth > width - 1) break;
    kept += segment;
    keptWidth += segmentWidth;
  }
  return `${kept}…`;
}
