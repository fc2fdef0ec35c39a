import { describe, expect, test } from "vitest";
import type { JsonValue, Clock } from "../../base/index.ts";
import { createScreen, type Screen } from "../terminal/screen.ts";
import { createJsonPresenter } from "./json-presenter.ts";
import type { ReportEvent, RunEvent } from "../../train/index.ts";
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

const workingFolder = "/runs";

const header: RunHeader = {
  recipe: "tiny",
  title: "Tiny self-play",
  preset: "nano",
  engine: "embedded (wasm, float32)",
  threadCount: 2,
  seed: 7,
};

const start: RunEvent = {
  kind: "run-start",
  id: "tiny-nano-1",
  folder: "/runs/tiny-nano-1",
  recipe: "tiny",
  preset: "nano",
  committedStepCount: 0,
  repeatedSteps: [],
};

function report(event: ReportEvent): RunEvent {
  return { kind: "report", event, isReplayed: false };
}

function progress(progressId: number, what: string): RunEvent {
  return { kind: "progress-start", progressId, stepName: "iteration 1", what, total: 10, unit: "prompts" };
}

describe("the text presenter", () => {
  test("prints header, rows as they come, and what to do next", () => {
    const { screen, clock, output } = scene(false);
    const presenter = createTextPresenter({ screen, clock, isQuiet: false, workingFolder });
    presenter.header(header);
    presenter.observe(start);
    const columns = [{ name: "iteration" }, { name: "greedy", digits: 3 }];
    presenter.observe(report({ kind: "table-start", table: "t", title: "Held out", columns }));
    presenter.observe(report({ kind: "table-row", table: "t", cells: [0, 0.5] }));
    presenter.observe(report({ kind: "table-row", table: "t", cells: [1, 0.625] }));
    presenter.summary({
      result: { greedy: 0.625 },
      elapsedMs: 4000,
      folder: "/runs/tiny-nano-1",
      next: ["spar sample x"],
    });
    presenter.end();
    expect(output.join("")).toBe(
      [
        "Tiny self-play",
        "recipe  tiny",
        "preset  nano",
        "engine  embedded (wasm, float32), 2 threads",
        "seed    7",
        "folder  tiny-nano-1",
        "",
        "Held out",
        "iteration  greedy",
        "        0   0.500",
        "        1   0.625",
        "",
        "Result",
        "greedy  0.625",
        "",
        "done in 4.0 s; everything is in tiny-nano-1",
        "next:",
        "  spar sample x",
        "",
      ].join("\n"),
    );
  });

  test("long texts of a table are cut also where the output is no terminal", () => {
    const { screen, clock, output } = scene(false);
    const presenter = createTextPresenter({ screen, clock, isQuiet: false, workingFolder });
    const columns = [{ name: "prompt" }, { name: "answer" }];
    presenter.observe(report({ kind: "table-start", table: "t", title: "Samples", columns }));
    presenter.observe(report({ kind: "table-row", table: "t", cells: ["p".repeat(500), "a".repeat(300)] }));
    presenter.end();
    const lines = output.join("").split("\n");
    expect(Math.max(...lines.map((line) => line.length))).toBe(200);
    expect(lines.at(-2)).toMatch(/^p+… {2}a+…$/u);
  });

  test("a nested result is left to programs, a version in a flat one is named", () => {
    const shown = (result: JsonValue): string => {
      const { screen, clock, output } = scene(false);
      const presenter = createTextPresenter({ screen, clock, isQuiet: false, workingFolder });
      presenter.summary({ result, elapsedMs: 1, folder: "/runs/x", next: [] });
      presenter.end();
      return output.join("");
    };
    expect(shown({ spin: { greedy: 0.5 } })).not.toContain("Result");
    const version = { modelId: "player", number: 3, address: "run:player@3", digest: null };
    expect(shown({ version })).toMatch(/Result\nversion +player version 3/);
  });

  test("a table that goes on after a note repeats its header", () => {
    const { screen, clock, output } = scene(false);
    const presenter = createTextPresenter({ screen, clock, isQuiet: false, workingFolder });
    presenter.observe(report({ kind: "table-start", table: "t", title: "T", columns: [{ name: "n" }] }));
    presenter.observe(report({ kind: "table-row", table: "t", cells: [1] }));
    presenter.observe(report({ kind: "note", text: "rolled back" }));
    presenter.observe(report({ kind: "table-row", table: "t", cells: [2] }));
    presenter.end();
    expect(output.join("")).toBe("\nT\nn\n1\nrolled back\n\nT\nn\n2\n");
  });

  test("a resumed run says so, and what it repeats", () => {
    const { screen, clock, errors } = scene(false);
    const presenter = createTextPresenter({ screen, clock, isQuiet: false, workingFolder });
    presenter.observe({ ...start, committedStepCount: 3, repeatedSteps: ["train 2"] });
    presenter.end();
    expect(errors.join("")).toMatch(/resumed after 3 finished steps.*\nrepeated.*: train 2\n$/u);
  });
});

describe("progress", () => {
  test("is one live line on a terminal, and gone at the end", () => {
    const { screen, clock, output, errors } = scene(true);
    const display = createProgressDisplay({ screen, clock, isQuiet: false });
    display.observe(progress(1, "answering"));
    clock.pass(1000);
    display.observe({ kind: "progress-advance", progressId: 1, done: 5 });
    display.tick();
    display.observe({ kind: "progress-end", progressId: 1 });
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
      display.observe(progress(1, "answering"));
      for (let second = 0; second < 65; second++) {
        clock.pass(1000);
        display.tick();
      }
      expect(output).toEqual([]);
      expect(errors.length).toBe(isQuiet ? 0 : 2);
    }
  });

  test("of several things under way the last one is shown, then the one before, then the step", () => {
    const { screen, clock, output } = scene(true);
    const display = createProgressDisplay({ screen, clock, isQuiet: false });
    display.observe({ kind: "step-start", name: "iteration 1", position: 0, isReplayed: false });
    display.observe(progress(1, "playing"));
    display.observe(progress(2, "training"));
    display.tick();
    display.observe({ kind: "progress-end", progressId: 2 });
    display.tick();
    display.observe({ kind: "progress-end", progressId: 1 });
    display.tick();
    expect(output.map((text) => /playing|training|iteration 1: \w+$/u.exec(text)?.[0])).toEqual([
      "iteration 1: running",
      "training",
      "playing",
      "iteration 1: finishing",
    ]);
  });
});

describe("the JSON presenter", () => {
  test("prints one object per line, with numbers that are not finite as text, and no progress", () => {
    const { screen, output } = scene(false);
    const presenter = createJsonPresenter(screen);
    presenter.header(header);
    presenter.observe(start);
    presenter.observe(progress(1, "answering"));
    presenter.observe(report({ kind: "table-row", table: "t", cells: [1, Number.NaN] }));
    const lines = output
      .join("")
      .trimEnd()
      .split("\n")
      .map((line) => JSON.parse(line));
    expect(lines).toEqual([
      { kind: "header", ...header },
      start,
      { kind: "report", isReplayed: false, event: { kind: "table-row", table: "t", cells: [1, "NaN"] } },
    ]);
  });
});
