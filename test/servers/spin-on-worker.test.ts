/**
 * SPIN's preset of a real model, made tiny: a base model from a folder with its own chat template, adapters, human
 * answers, on the PyTorch worker. Skipped without a Python for it.
 */
import { writeFileSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { systemClock, type JsonObject } from "spar/base";
import type { Engine } from "spar/contract";
import { openRunReader } from "spar/store";
import { expectCode } from "spar/testing";
import { resumeRun, startRun, type ReportEvent, type RunEvent } from "spar/train";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { recipe } from "../../recipes/spin/recipe.ts";
import { createEngine } from "../../src/engines/tinker/engine.ts";
import { startTinyWorker, workerPython, type TinyWorker } from "./worker-process.ts";

const numbers = ["nought", "one", "two", "three", "four", "five"];
const exchanges = numbers.flatMap((left, first) =>
  numbers.map((right, second) => ({
    messages: [
      { role: "user", content: `what are ${left} and ${right}?` },
      { role: "assistant", content: `that makes ${first + second}` },
    ],
  })),
);

function metrics(folder: string, name: string): number[] {
  using reader = openRunReader(folder);
  return [...reader.metrics()].filter((metric) => metric.name === name).map(({ value }) => value);
}

function notes(folder: string): string[] {
  using reader = openRunReader(folder);
  return [...reader.reports()]
    .map(({ event }) => event as ReportEvent)
    .flatMap((event) => (event.kind === "note" ? [event.text] : []));
}

describe.skipIf(workerPython === "")("SPIN on the PyTorch worker", () => {
  const closing = new AsyncDisposableStack();
  let root = "";
  let common: Omit<Parameters<typeof startRun>[0], "folder">;
  beforeAll(async () => {
    root = await mkdtemp(path.join(tmpdir(), "spar-spin-worker-"));
    closing.defer(() => rm(root, { recursive: true, force: true }));
    const worker: TinyWorker = await startTinyWorker();
    closing.defer(() => worker.close());
    const data = path.join(root, "sums.jsonl");
    writeFileSync(data, exchanges.map((exchange) => `${JSON.stringify(exchange)}\n`).join(""));
    const overrides: JsonObject = {
      data,
      exampleCount: 16,
      heldOutCount: 8,
      baseModel: worker.model,
      tokenizerFolder: worker.folder,
      maxPromptTokens: 64,
      maxSequenceTokens: 96,
      maxAnswerTokens: 16,
      loraRank: 4,
      learningRates: [1e-2],
      pairsPerUpdate: 4,
      controls: ["equal-updates"],
      sampleCount: 1,
    };
    common = {
      recipe,
      preset: "smoke",
      overrides,
      seed: 5,
      engineName: "tinker",
      engineFactory: async (): Promise<Engine> => createEngine({ url: worker.url, key: worker.key }),
      clock: systemClock,
      software: { spar: "test", node: "test", commit: null },
    };
  }, 300_000);
  afterAll(() => closing.disposeAsync(), 60_000);

  test("two iterations begin at log 2 without a gap to the sampler, and a run that was cut ends as one that was not", async () => {
    const whole = path.join(root, "whole");
    await startRun({ ...common, folder: whole });
    const firstLosses = metrics(whole, "pairs/loss/first");
    expect(firstLosses).toHaveLength(2);
    for (const loss of firstLosses) expect(loss).toBeCloseTo(Math.log(2), 4);
    const gaps = metrics(whole, "mismatch/logprob/meanAbsolute");
    expect(gaps).toHaveLength(2);
    for (const gap of gaps) expect(gap).toBeLessThan(1e-3);
    expect(notes(whole).filter((note) => note.startsWith("Alarm"))).toEqual([]);
    for (const margin of metrics(whole, "pairs/margin/mean")) expect(margin).toBeGreaterThan(0);
    const [start = 0, , end = 0] = metrics(whole, "held-out/nllPerTokenNats");
    expect(end).toBeLessThan(start - 0.1);
    expect(metrics(whole, "control-equal-updates/nllPerTokenNats")).toHaveLength(2);

    const cut = path.join(root, "cut");
    const controller = new AbortController();
    const observer = (event: RunEvent): void => {
      if (event.kind === "step-start" && event.name === "train-1") controller.abort();
    };
    await expectCode(startRun({ ...common, folder: cut, signal: controller.signal, observer }), "aborted");
    await resumeRun({ recipe, folder: cut, engineFactory: common.engineFactory, clock: systemClock });
    for (const name of ["held-out/nllPerTokenNats", "pairs/margin/mean", "control-equal-updates/nllNats"]) {
      const expected = metrics(whole, name);
      const resumed = metrics(cut, name);
      expect(resumed).toHaveLength(expected.length);
      for (const [index, value] of resumed.entries()) expect(value).toBeCloseTo(expected[index] ?? NaN, 2);
    }
  }, 300_000);
});
