/** Shows the answers of two versions beside each other, or those of one. Returns lines. */
import type { Style } from "../terminal/style.ts";
import { sideBySide } from "../terminal/side-by-side.ts";
import { manyLines, oneLine } from "../terminal/text.ts";

export interface VersionAnswers {
  readonly label: string;
  readonly answers: readonly string[];
}

export interface ShowOptions {
  readonly prompt: string;
  /** Oldest first; one or two. */
  readonly versions: readonly VersionAnswers[];
  readonly style: Style;
  readonly maximumWidth: number;
}

export function answerLines(options: ShowOptions): string[] {
  const { versions, style } = options;
  const [before, after] = versions;
  const title = style.heading(`> ${oneLine(options.prompt)}`);
  if (before === undefined) return [title];
  if (after === undefined) {
    return [
      title,
      style.faint(before.label),
      ...before.answers.flatMap((text) => manyLines(text).split("\n")),
    ];
  }
  const heads = { left: `oldest: ${before.label}`, right: `newest: ${after.label}` };
  // All answers of a version are one column, so that the columns have one width.
  const column = (head: string, { answers }: VersionAnswers): string => [head, ...answers].join("\n");
  const isShort = [...before.answers, ...after.answers].every((text) => !text.includes("\n"));
  if (isShort) {
    return [
      title,
      ...sideBySide({
        left: column(heads.left, before),
        right: column(heads.right, after),
        maximumWidth: options.maximumWidth,
      }),
    ];
  }
  const pairs = before.answers.map((left, index) => ({ left, right: after.answers[index] ?? "" }));
  return [
    title,
    ...sideBySide({ ...heads, maximumWidth: options.maximumWidth }),
    ...pairs.flatMap((pair) => [...sideBySide({ ...pair, maximumWidth: options.maximumWidth }), ""]),
  ];
}
