import { describe, expect, test } from "vitest";
import { createStyle } from "../terminal/style.ts";
import type { OptionValue, PlanReport } from "./report.ts";
import { planLines } from "./text.ts";

const here = { missing: [], problem: null, setUpCommand: null, isPlanned: false };

const option: OptionValue = {
  name: "",
  value: 1,
  source: "default",
  unit: null,
  choices: null,
  isUsed: true,
  description: "",
};

const report: PlanReport = {
  recipe: "spin",
  title: "Self-Play Fine-Tuning",
  paper: "arXiv:2401.01335v3",
  preset: "paper",
  engine: "tinker",
  seed: 1,
  plan: {
    lines: [
      { name: "iteration 0", value: 778, unit: "updates per epoch" },
      { name: "iteration 1 and later", value: 1556, unit: "updates per epoch" },
    ],
    steps: ["warm-up", "answer"],
    memoryBytes: 86_900_000_000,
    diskBytes: null,
    inputs: ["prompts.jsonl"],
  },
  needs: ["optimizer:rmsprop"],
  engines: [
    { id: "embedded", ...here },
    { id: "embedded:native", ...here, setUpCommand: "npm install x" },
    { id: "small", ...here, missing: ["optimizer:rmsprop"] },
    { id: "broken", ...here, problem: "no Python" },
    { id: "tinker", ...here, isPlanned: true },
  ],
  inputs: [
    { input: "prompts.jsonl", state: "missing", hint: null },
    { input: "./model", state: "missing", hint: "make it with make-model" },
  ],
  departures: ["answers are short"],
  options: [
    { ...option, name: "temperature", source: "preset", description: "of answers" },
    { ...option, name: "maxTokens", unit: "tokens" },
    { ...option, name: "loss", value: "hinge", source: "set", choices: ['"hinge"', '"logistic"'] },
    { ...option, name: "rank", isUsed: false },
    { ...option, name: "scale", isUsed: false },
    { ...option, name: "decay", source: "set", isUsed: false },
  ],
};

describe("a printed plan", () => {
  const text = planLines(report, { style: createStyle(false), maximumWidth: 100 }).join("\n");

  test("names quantities with units, memory and what is not known", () => {
    expect(text).toMatch(/iteration 1 and later\s+1,556\s+updates per epoch/u);
    expect(text).toMatch(/memory of the engine\s+86\.9 GB/u);
    expect(text).toMatch(/disk\s+unknown/u);
  });

  test("says which engines can do it, what has to be typed first, and what the others lack", () => {
    expect(text).toMatch(/^embedded: has all that is needed$/mu);
    expect(text).toContain("embedded:native: has all that is needed; first type: npm install x");
    expect(text).toContain("small: lacks optimizer:rmsprop");
    expect(text).toContain("broken: unknown, no Python");
    expect(text).toContain("tinker: planned, not in this version");
  });

  test("says which inputs are missing, what departs from the paper, and where values come from", () => {
    expect(text).toMatch(/^missing  prompts\.jsonl$/mu);
    expect(text).toContain("missing  ./model: make it with make-model");
    expect(text).toContain("- answers are short");
    expect(text).toMatch(/temperature = 1 \(preset\)\n {4}of answers\nmaxTokens = 1 \(default; tokens\)\n/u);
    expect(text).toContain('loss = "hinge" (you; of "hinge", "logistic")');
  });

  test("names options without effect at the end, those that somebody set in full", () => {
    expect(text).toContain("decay = 1 (you; without effect here)");
    expect(text).not.toContain("rank = 1");
    expect(text.split("\n").at(-1)).toBe("without effect here: rank, scale");
  });
});
