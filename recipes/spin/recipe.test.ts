/** SPIN end to end on the exact fake engine, and its plan against the numbers of the paper. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createRandom, sha256, systemClock, type JsonObject } from "spar/base";
import type { CreateModelOptions, Engine } from "spar/contract";
import { readPairs } from "spar/data";
import { openRunReader } from "spar/store";
import { createFakeEngine, expectCode } from "spar/testing";
import { listSavedPolicies, resolveOptions, resumeRun, startRun, type ReportEvent } from "spar/train";
import { afterAll, expect, test } from "vitest";
import { z } from "zod";
import { scheduleOf } from "./fine-tuning.ts";
import { loadSplit } from "./examples.ts";
import { recipe } from "./recipe.ts";

const root = mkdtempSync(join(tmpdir(), "spar-spin-"));
afterAll(() => rmSync(root, { recursive: true, force: true }));

/** Sixty single-digit sums: small enough for a second, real in every step. */
const small: JsonObject = {
  exampleCount: 60,
  heldOutCount: 20,
  annotations: { operators: ["+"], maxExpressionCharacters: 5, maxAnswerCharacters: 2 },
  architecture: { width: 16, layerCount: 1, headCount: 2 },
  warmUp: { epochs: 2, rowsPerUpdate: 16 },
  iterationCount: 2,
  pairsPerUpdate: 16,
};

const finished = new Map<string, Promise<string>>();

function play(
  name: string,
  overrides: JsonObject = {},
  engineFactory: () => Promise<Engine> = async () => createFakeEngine({}),
): Promise<string> {
  const folder = join(root, name);
  const known = finished.get(name);
  if (known !== undefined) return known;
  const run = startRun({
    recipe,
    folder,
    preset: "nano",
    overrides: { ...small, ...overrides },
    seed: 3,
    engineName: "fake",
    engineFactory,
    clock: systemClock,
    software: { spar: "test", node: "test", commit: null },
  }).then(() => folder);
  finished.set(name, run);
  return run;
}

const versionSchema = z.preprocess(
  (result) => z.looseObject({ version: z.unknown() }).safeParse(result).data?.version ?? result,
  z.object({ modelId: z.string(), number: z.int(), address: z.string(), digest: z.string() }),
);

function metricsOf(folder: string, name: string): number[] {
  using reader = openRunReader(folder);
  return [...reader.metrics()].filter((metric) => metric.name === name).map(({ value }) => value);
}

test("every iteration begins at log 2, whatever beta is, and no pair is won before it moves", async () => {
  for (const loss of metricsOf(await play("one"), "pairs/loss/first"))
    expect(loss).toBeCloseTo(Math.log(2), 5);
  for (const loss of metricsOf(await play("beta", { betas: [0.1, 5] }), "pairs/loss/first")) {
    expect(loss).toBeCloseTo(Math.log(2), 5);
  }
});

test("the references are told from the answers better and better within an iteration", async () => {
  const folder = await play("eager", { learningRates: [3e-3], epochsPerIteration: 6 });
  for (const margin of metricsOf(folder, "pairs/margin/mean")) expect(margin).toBeGreaterThan(0.05);
});

test("answers come in the order of the prompts, references pass through unchanged, every pair is on record", async () => {
  const folder = await play("one");
  using reader = openRunReader(folder);
  const pairs = await Array.fromAsync(readPairs(join(folder, "artifacts", "pairs-answer-0.parquet")));
  const episodes = [...reader.episodes({ stepName: "answer-0" })];
  expect(pairs.length).toBe(60);
  expect(pairs.map(({ prompt }) => prompt)).toEqual(episodes.map(({ start }) => `${start.taskId}=`));
  for (const { prompt, real } of pairs) {
    const [left, right] = prompt.slice(0, -1).split("+").map(Number);
    expect(Number(real)).toBe((left ?? 0) + (right ?? 0));
  }
});

test("every answer is of the iterate before it, whose weights stay as they were", async () => {
  const folder = await play("one");
  using reader = openRunReader(folder);
  const results = new Map([...reader.steps()].map(({ name, result }) => [name, result]));
  const iterates = [results.get("start"), results.get("train-0")].map((result) =>
    versionSchema.parse(result),
  );
  expect(new Set(iterates.map(({ digest }) => digest)).size).toBe(2);
  for (const [iteration, iterate] of iterates.entries()) {
    for (const { start } of reader.episodes({ stepName: `answer-${iteration}` })) {
      expect(reader.episode(start.id).turns.map(({ turn }) => turn.player.version)).toEqual([iterate]);
    }
    const saved = listSavedPolicies(reader)
      .find(({ name }) => name === "player")
      ?.weights.find(({ label }) => label === `version ${iterate.number}`);
    const { path, files } = reader.checkpoint(saved?.checkpoint ?? "");
    for (const file of files) expect(sha256(readFileSync(join(path, file.path)))).toBe(file.sha256);
  }
});

test("a schedule ends with the updates that are done, or is stopped early, for SPIN and controls alike", () => {
  const published = resolveOptions(recipe, "released");
  const rate = (updateCount: number, update: number): number =>
    scheduleOf(published, 0, updateCount)(update, updateCount);
  // Two epochs of 778 updates out of a schedule made for six.
  expect(rate(1556, 778)).toBeCloseTo(4.62985e-7, 12);
  expect(rate(1556, 1556)).toBeCloseTo(3.70388e-7, 12);
  const paper = resolveOptions(recipe, "paper");
  expect(scheduleOf(paper, 0, 1556)(778, 1556)).toBeCloseTo(2.778571e-7, 12);
  expect(scheduleOf(paper, 0, 1556)(1556, 1556)).toBe(0);
});

test("nano sends the rows of an update in one call", async () => {
  const engine = createFakeEngine({});
  await play("calls", { pairsPerUpdate: 32 }, async () => engine);
  const count = (kind: string): number => engine.callLog.filter((call) => call.kind === kind).length;
  expect(count("optimStep")).toBeGreaterThan(0);
  expect(count("forwardBackward") + count("forwardBackwardCustom")).toBe(count("optimStep"));
});

test("adapters are compared with adapters: the control trains as many numbers as SPIN", async () => {
  const engine = createFakeEngine({});
  const trainable = new Map<string, number>();
  const spy = async (): Promise<Engine> =>
    new Proxy<Engine>(engine, {
      get: (target, key) => {
        const value: unknown = Reflect.get(target, key, target);
        if (key === "createModel")
          return async (options: CreateModelOptions) => {
            const model = await target.createModel(options);
            trainable.set(options.name, model.trainableParameterCount);
            return model;
          };
        return typeof value === "function" ? value.bind(target) : value;
      },
    });
  await play("adapters", { loraRank: 2, iterationCount: 1 }, spy);
  expect(trainable.get("control-equal-updates")).toBe(trainable.get("player"));
});

test("a window of two trains on the answers of the last two iterates, a window of one on the newest", async () => {
  const all = { dropEqualAnswers: false };
  expect(metricsOf(await play("window-1", all), "pairs/trained/count")).toEqual([60, 60]);
  expect(metricsOf(await play("window-2", { ...all, opponentWindow: 2 }), "pairs/trained/count")).toEqual([
    60, 120,
  ]);
});

test("pairs of iteration 0 can come from a file in the authors' layout", async () => {
  const file = join(await play("one"), "artifacts", "pairs-answer-0.parquet");
  const folder = await play("from-file", { firstPairs: file, iterationCount: 2, dropEqualAnswers: false });
  expect(metricsOf(folder, "pairs/trained/count")).toEqual([60, 60]);
  using reader = openRunReader(folder);
  expect([...reader.episodes()].map(({ start }) => start.stepName)).toEqual(Array(60).fill("answer-1"));
  expect(metricsOf(folder, "answers/different/share")[0]).toBe(
    metricsOf(await play("one"), "answers/different/share")[0],
  );
});

test("pairs that answer none of the prompts are refused before anything is trained", async () => {
  const file = join(root, "strange-pairs.jsonl");
  const messages = [
    { role: "user", content: "strange" },
    { role: "assistant", content: "1" },
  ];
  writeFileSync(file, JSON.stringify({ real: messages, generated: messages }));
  const engine = createFakeEngine({});
  await expectCode(
    play("strange", { firstPairs: file }, async () => engine),
    "no-answers",
  );
  expect(engine.callLog).toEqual([]);
});

test("prompts of one's own are read from JSON Lines", async () => {
  const file = join(root, "own.jsonl");
  const lines = Array.from({ length: 40 }, (_, index) => ({
    messages: [
      { role: "user", content: `say ${index}` },
      { role: "assistant", content: ` ${index % 10}é\t` },
    ],
  }));
  writeFileSync(file, lines.map((line) => `${JSON.stringify(line)}\n`).join(""));
  const folder = await play("own", { data: file, exampleCount: 0, iterationCount: 1 });
  expect(metricsOf(folder, "held-out/nllNats")).toHaveLength(2);
  const pairs = await Array.fromAsync(readPairs(join(folder, "artifacts", "pairs-answer-0.parquet")));
  for (const { prompt, real } of pairs) {
    expect(real, "references pass through byte by byte").toBe(` ${Number(prompt.slice(4)) % 10}é\t`);
  }
});

test("neither a held-out sum nor its twin is trained on, and a prompt occurs once", async () => {
  const options = resolveOptions(recipe, "nano");
  const { training, heldOut } = await loadSplit(options, createRandom(4));
  const trained = new Set(training.map(({ prompt }) => prompt));
  expect(heldOut).toHaveLength(400);
  for (const { prompt } of heldOut) {
    const [left = "", right = ""] = prompt.slice(0, -1).split("+");
    expect(trained).not.toContain(prompt);
    if (right !== "") expect(trained).not.toContain(`${right}+${left}=`);
  }
  const file = join(root, "twice.jsonl");
  const line = (index: number): string =>
    JSON.stringify({
      messages: [
        { role: "user", content: `say ${index % 25}` },
        { role: "assistant", content: String(index % 10) },
      ],
    });
  writeFileSync(file, Array.from({ length: 40 }, (_, index) => `${line(index)}\n`).join(""));
  const own = await loadSplit({ ...options, data: file, heldOutCount: 5 }, createRandom(4));
  expect([own.training.length, own.heldOut.length, own.repeatedCount]).toEqual([20, 5, 15]);
});

test("prompts that leave no room for an answer are refused before anything is trained", async () => {
  const file = join(root, "long-prompts.jsonl");
  const lines = Array.from({ length: 30 }, (_, index) => ({
    messages: [
      { role: "user", content: "a long question ".repeat(3) + String(index) },
      { role: "assistant", content: "1" },
    ],
  }));
  writeFileSync(file, lines.map((line) => `${JSON.stringify(line)}\n`).join(""));
  await expectCode(play("too-long", { data: file, exampleCount: 0, heldOutCount: 5 }), "prompts-too-long");
});

test("a run that has nothing to learn ends without a comparison, a chart or controls", async () => {
  const prompts = Array.from({ length: 30 }, (_, index) => ({ role: "user", content: String(index) }));
  const answer = { role: "assistant", content: "1" };
  const write = (name: string, record: (prompt: object) => object): string => {
    writeFileSync(join(root, name), prompts.map((prompt) => JSON.stringify(record(prompt))).join("\n"));
    return join(root, name);
  };
  const data = write("answered.jsonl", (prompt) => ({ messages: [prompt, answer] }));
  const dialogue = (prompt: object): object[] => [prompt, answer];
  const firstPairs = write("equal.jsonl", (prompt) => ({
    real: dialogue(prompt),
    generated: dialogue(prompt),
  }));
  using reader = openRunReader(await play("over", { data, firstPairs, exampleCount: 0, heldOutCount: 5 }));
  const reports = [...reader.reports()].map(({ event }) => event as ReportEvent);
  const titles = reports.flatMap((event) => (event.kind === "table-start" ? [event.title] : []));
  expect(titles).toEqual([expect.stringMatching(/^Accuracy on 5 held-out/), "Held-out prompts"]);
  expect(reports.filter(({ kind }) => kind === "chart")).toEqual([]);
  expect(reports).toContainEqual({ kind: "note", text: expect.stringContaining("Nothing was trained") });
  expect(listSavedPolicies(reader).map(({ name }) => name)).toEqual(["player"]);
  expect(reader.result()).toMatchObject({ spin: null, controls: {} });
});

test("the same seed gives the same figures", async () => {
  const [first, second] = [await play("one"), await play("again")];
  for (const name of ["held-out/nllNats", "pairs/margin/mean", "control-equal-updates/nllNats"]) {
    expect(metricsOf(first, name)).toEqual(metricsOf(second, name));
  }
});

test("a resumed run refuses data that has changed", async () => {
  const file = join(root, "changing.jsonl");
  const write = (answer: string): void =>
    writeFileSync(
      file,
      Array.from({ length: 30 }, (_, index) =>
        JSON.stringify({
          messages: [
            { role: "user", content: `${index}` },
            { role: "assistant", content: answer },
          ],
        }),
      ).join("\n"),
    );
  write("1");
  const controller = new AbortController();
  const folder = join(root, "changing");
  const common = { recipe, folder, engineFactory: async () => createFakeEngine({}), clock: systemClock };
  const begun = startRun({
    ...common,
    preset: "nano",
    overrides: { ...small, data: file, exampleCount: 0, heldOutCount: 5 },
    seed: 1,
    engineName: "fake",
    software: { spar: "test", node: "test", commit: null },
    signal: controller.signal,
    observer: (event) => {
      if (event.kind === "step-end" && event.name === "start") controller.abort();
    },
  });
  await expectCode(begun, "aborted");
  write("2");
  await expectCode(resumeRun(common), "data-changed");
});
