/** Two texts beside each other, each wrapped in its column. Returns lines; knows no stream. */
import { align, manyLines, widthOf } from "./text.ts";
import { wrap } from "./wrap.ts";

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
