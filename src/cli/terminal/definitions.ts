/** Names with their texts: names in one column, texts in the other, wrapped below themselves. */
import { align, oneLine, widthOf } from "./text.ts";
import { wrap } from "./wrap.ts";

const gap = "  ";
/** Below this width for the text the lines are left to the terminal. */
const narrowestText = 20;

export function definitionLines(
  rows: readonly (readonly [string, string])[],
  maximumWidth: number,
): string[] {
  const shown = rows.map(([name, text]) => [oneLine(name), oneLine(text)] as const);
  const nameWidth = Math.max(0, ...shown.map(([name]) => widthOf(name)));
  const room = maximumWidth - nameWidth - gap.length;
  return shown.flatMap(([name, text]) => {
    const lines = room < narrowestText ? [text] : wrap(text, room);
    return lines.map((line, index) =>
      `${align(index === 0 ? name : "", nameWidth, "left")}${gap}${line}`.trimEnd(),
    );
  });
}
