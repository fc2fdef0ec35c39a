import { describe, expect, test } from "vitest";
import { createScreen, type OutputStream } from "./screen.ts";

function memoryStream(isTTY: boolean, log: string[]): OutputStream {
  return { isTTY, columns: 20, write: (text) => log.push(text) };
}

function screenOn(
  isTTY: boolean,
  environment: Record<string, string> = {},
): { log: string[]; screen: ReturnType<typeof createScreen> } {
  const log: string[] = [];
  const screen = createScreen({
    output: memoryStream(isTTY, log),
    errors: memoryStream(isTTY, log),
    environment,
  });
  return { log, screen };
}

describe("the screen", () => {
  test("a printed line never mixes with the live line", () => {
    const { log, screen } = screenOn(true);
    screen.live("50 %");
    screen.print("row");
    screen.live(null);
    expect(log.join("")).toBe("\r\u001b[K50 %\r\u001b[Krow\n50 %\r\u001b[K");
  });

  test("the live line is not written where nobody looks, nor on a dumb terminal", () => {
    for (const { log, screen } of [screenOn(false), screenOn(true, { TERM: "dumb" })]) {
      screen.live("50 %");
      screen.print("row");
      expect(log).toEqual(["row\n"]);
    }
  });

  test("the live line stays on one line and is not redrawn when nothing changed", () => {
    const { log, screen } = screenOn(true);
    screen.live("a line that is wider than the terminal");
    screen.live("a line that is wider than the terminal");
    expect(log).toEqual(["\r\u001b[Ka line that is wid…"]);
  });

  test("lines of a file are as long as they are", () => {
    expect(screenOn(false).screen.maximumWidth).toBe(Number.POSITIVE_INFINITY);
    expect(screenOn(true).screen.maximumWidth).toBe(20);
  });
});
