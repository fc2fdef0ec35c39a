import { describe, expect, test } from "vitest";
import type { Clock } from "../../base/index.ts";
import { createScreen, type Screen } from "../terminal/screen.ts";
import { createJsonPresenter } from "./json-presenter.ts";
import type { RunHeader } from "./presenter.ts";
import { createProgressDisplay } from "./progress-display.ts";
import { createTextPresenter } from "./text-presenter.ts";

interface Scene {
  readonly screen: Screen;
  readonly output: string[];
  readonly errors: string[];
  readonly clock: Clock & { pass(ms: number): void };
}

function scene(isTTY: boolean): Scene {
  const output: string[] = [];
  const errors: string[] = [];
  let nowMs = 0;
  return {
    output,
    errors,
    clock: { nowMs: () => nowMs, monotonicMs: () => nowMs, pass: (ms) => void (nowMs += ms) },
    screen: createScreen({
      output: { isTTY, columns: 100, write: (text) => output.push(text) },
      errors: { isTTY, columns: 100, write: (text) => errors.push(text) },
      environment: { NO_COLOR: "1" },
    }),
  };
}

const header: RunHeader = {
  recipe: "tiny",
  title: "Tiny self-play",
  preset: "nano",
  engine: "embedded (wasm, float32)",
  threadCount: 2,
  seed: 7,
  folder: "/runs/tiny-nano-1",
  isResumed: false,
};

describe("the text presenter", () => {
  test("prints header, rows as they come, and what to do next", () => {
    const { screen, clock, output } = scene(false);
    const presenter = createTextPresenter({ screen, clock, isQuiet: false });
    presenter.header(header);
    presenter.report(
      {
        kind: "table-start",
        table: "t",
        title: "Held out",
        columns: [{ name: "iteration" }, { name: "greedy", digits: 3 }],
      },
      false,
    );
    presenter.report({ kind: "table-row", table: "t", cells: [0, 0.5] }, false);
    presenter.report({ kind: "table-row", table: "t", cells: [1, 0.625] }, false);
    presenter.summary({
      result: { greedy: 0.625 },
      elapsedMs: 4000,
      folder: "/runs/tiny-nano-1",
      next: ["spar sample tiny-nano-1"],
    });
    presenter.end();
    expect(output.join("")).toBe(
      [
        "Tiny self-play",
        "recipe   tiny",
        "preset   nano",
        "engine   embedded (wasm, float32)",
        "threads  2",
        "seed     7",
        "folder   /runs/tiny-nano-1",
        "",
        "Held out",
        "iteration  greedy",
        "        0   0.500",
        "        1   0.625",
        "",
        "Result",
        "greedy  0.625",
        "",
        "done in 4.0 s; everything is in /runs/tiny-nano-1",
        "next:",
        "  spar sample tiny-nano-1",
        "",
      ].join("\n"),
    );
  });

  test("a table that goes on after a note repeats its header", () => {
    const { screen, clock, output } = scene(false);
    const presenter = createTextPresenter({ screen, clock, isQuiet: false });
    presenter.report({ kind: "table-start", table: "t", title: "T", columns: [{ name: "n" }] }, false);
    presenter.report({ kind: "table-row", table: "t", cells: [1] }, false);
    presenter.report({ kind: "note", text: "rolled back" }, false);
    presenter.report({ kind: "table-row", table: "t", cells: [2] }, false);
    presenter.end();
    expect(output.join("")).toBe("\nT\nn\n1\nrolled back\n\nT\nn\n2\n");
  });
});

describe("progress", () => {
  test("is one live line on a terminal, and gone at the end", () => {
    const { screen, clock, output, errors } = scene(true);
    const display = createProgressDisplay({ screen, clock, isQuiet: false });
    const progress = display.start("iteration 1", { what: "answering", total: 10, unit: "prompts" });
    clock.pass(1000);
    progress.advance(5);
    display.tick();
    progress.end();
    display.end();
    expect(output).toEqual([
      "\r\u001b[K[1.0 s] iteration 1: answering  5/10 prompts  50 %  5.00/s  1.0 s elapsed, 1.0 s left",
      "\r\u001b[K",
    ]);
    expect(errors).toEqual([]);
  });

  test("is sparse on standard error where nobody looks, and absent when quiet", () => {
    for (const isQuiet of [false, true]) {
      const { screen, clock, output, errors } = scene(false);
      const display = createProgressDisplay({ screen, clock, isQuiet });
      display.start("iteration 1", { what: "answering", total: 10, unit: "prompts" });
      for (let second = 0; second < 65; second++) {
        clock.pass(1000);
        display.tick();
      }
      expect(output).toEqual([]);
      expect(errors.length).toBe(isQuiet ? 0 : 2);
    }
  });

  test("of several things under way the last one is shown, then the one before", () => {
    const { screen, clock, output } = scene(true);
    const display = createProgressDisplay({ screen, clock, isQuiet: false });
    display.start("outer", { what: "playing", total: 4, unit: "episodes" });
    const inner = display.start("outer", { what: "training", total: 2, unit: "updates" });
    display.tick();
    inner.end();
    display.tick();
    expect(output[0]).toContain("training");
    expect(output[1]).toContain("playing");
  });
});

describe("the JSON presenter", () => {
  test("prints one object per line, with numbers that are not finite as text", () => {
    const { screen, output } = scene(false);
    const presenter = createJsonPresenter(screen);
    presenter.header(header);
    presenter.report({ kind: "table-row", table: "t", cells: [1, Number.NaN] }, true);
    const lines = output
      .join("")
      .trimEnd()
      .split("\n")
      .map((line) => JSON.parse(line));
    expect(lines[0]).toMatchObject({ event: "run-start", recipe: "tiny", seed: 7 });
    expect(lines[1]).toEqual({
      event: "report",
      isRepeated: true,
      kind: "table-row",
      table: "t",
      cells: [1, "NaN"],
    });
  });
});
