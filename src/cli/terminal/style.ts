/**
 * Colours: only where somebody looks at a terminal, and as NO_COLOR and FORCE_COLOR say. Meaning is
 * never carried by colour alone.
 */
import { styleText } from "node:util";

/** What text means, not how it looks. */
export interface Style {
  heading(text: string): string;
  /** Secondary: units, rates, paths. */
  faint(text: string): string;
  good(text: string): string;
  warning(text: string): string;
  bad(text: string): string;
  /** What the reader may type. */
  command(text: string): string;
  /** ANSI colour per series of a chart; empty where there are none. */
  readonly seriesColours: readonly string[];
}

export interface ColourQuestion {
  readonly isTerminal: boolean;
  readonly environment: Readonly<Record<string, string | undefined>>;
}

/**
 * FORCE_COLOR (any value but 0 and false) wins over all, then NO_COLOR (any value but empty), then
 * `TERM=dumb`, then whether it is a terminal.
 */
export function wantsColours(question: ColourQuestion): boolean {
  const { FORCE_COLOR: force, NO_COLOR: none, TERM: terminal } = question.environment;
  if (force !== undefined) return force !== "0" && force !== "false";
  if (none !== undefined && none !== "") return false;
  return question.isTerminal && terminal !== "dumb";
}

const same = (text: string): string => text;

const plain: Style = {
  heading: same,
  faint: same,
  good: same,
  warning: same,
  bad: same,
  command: same,
  seriesColours: [],
};

const coloured: Style = {
  heading: (text) => styleText("bold", text, { validateStream: false }),
  faint: (text) => styleText("dim", text, { validateStream: false }),
  good: (text) => styleText("green", text, { validateStream: false }),
  warning: (text) => styleText("yellow", text, { validateStream: false }),
  bad: (text) => styleText("red", text, { validateStream: false }),
  command: (text) => styleText("cyan", text, { validateStream: false }),
  // green, blue, magenta, yellow, cyan, red
  seriesColours: ["\u001b[32m", "\u001b[34m", "\u001b[35m", "\u001b[33m", "\u001b[36m", "\u001b[31m"],
};

export function createStyle(withColours: boolean): Style {
  return withColours ? coloured : plain;
}
