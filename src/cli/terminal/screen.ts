/**
 * Where the command line writes: results to standard output, everything else to standard error, and
 * on a terminal one live line below them that is redrawn in place. Nothing else in `cli` touches a
 * stream.
 */
import { createStyle, wantsColours, type Style } from "./style.ts";
import { cut } from "./text.ts";

/** The part of a Node stream that is needed; tests pass their own. */
export interface OutputStream {
  write(text: string): unknown;
  readonly isTTY?: boolean | undefined;
  readonly columns?: number | undefined;
}

export interface Screen {
  /** Whether somebody looks at standard output. */
  readonly isTerminal: boolean;
  /** Widest line: that of the terminal, unbounded elsewhere. */
  readonly maximumWidth: number;
  readonly style: Style;
  /** Style of standard error, which may be a terminal where standard output is a file. */
  readonly errorStyle: Style;
  /** Results, to standard output. */
  print(...lines: readonly string[]): void;
  /** Notices, to standard error. */
  notice(...lines: readonly string[]): void;
  /** Shows or replaces the live line; null takes it away. Does nothing where there is no terminal. */
  live(line: string | null): void;
}

export interface ScreenOptions {
  readonly output: OutputStream;
  readonly errors: OutputStream;
  readonly environment: Readonly<Record<string, string | undefined>>;
}

const assumedColumns = 80;
const clearLine = "\r\u001b[K";

export function createScreen(options: ScreenOptions): Screen {
  const { output, errors, environment } = options;
  const isTerminal = output.isTTY === true;
  const hasLiveLine = isTerminal && environment["TERM"] !== "dumb";
  // Some terminals say that they have no columns at all.
  const columns = (): number => Math.max(output.columns ?? 0, 0) || assumedColumns;
  let shown: string | null = null;

  /** Takes the live line away, writes, and puts it back, so that it never mixes with other lines. */
  const write = (stream: OutputStream, lines: readonly string[]): void => {
    if (lines.length === 0) return;
    const text = lines.map((line) => `${line}\n`).join("");
    if (shown !== null) output.write(clearLine);
    stream.write(text);
    if (shown !== null) output.write(shown);
  };

  return {
    isTerminal,
    get maximumWidth() {
      return isTerminal ? columns() : Number.POSITIVE_INFINITY;
    },
    style: createStyle(wantsColours({ isTerminal, environment })),
    errorStyle: createStyle(wantsColours({ isTerminal: errors.isTTY === true, environment })),
    print: (...lines) => write(output, lines),
    notice: (...lines) => write(errors, lines),
    live: (line) => {
      if (!hasLiveLine) return;
      const next = line === null ? null : cut(line, columns() - 1);
      if (next === shown) return;
      output.write(next === null ? clearLine : `${clearLine}${next}`);
      shown = next;
    },
  };
}
