/** What this engine promises beyond the contract: threads and company change no bit, memory stays flat, nothing is left running. */
import { spawn } from "node:child_process";
import { afterEach, expect, test, vi } from "vitest";
import { tokens, type Datum, type Engine, type Model } from "../../contract/index.ts";
import { createEngine, type EmbeddedEngine } from "./engine.ts";

const architecture = { vocabularySize: 20, contextLength: 12, width: 32, layerCount: 1, headCount: 4 };
const open: Engine[] = [];
// Seconds on an idle machine; a busy one shall not make a promise look broken.
vi.setConfig({ testTimeout: 90_000 });

function start(threadCount: number): EmbeddedEngine {
  const engine = createEngine({ threadCount });
  open.push(engine);
  return engine;
}

afterEach(async () => {
  await Promise.all(open.splice(0).map((engine) => engine.close()));
});

function makeModel(engine: Engine, width = architecture.width): Promise<Model> {
  return engine.createModel({
    name: "test",
    from: { kind: "architecture", architecture: { ...architecture, width }, seed: 3 },
  });
}

function makeRows(count: number): Datum[] {
  return Array.from({ length: count }, (_, row) => {
    const ids = Array.from(
      { length: 4 + (row % 9) },
      (_unused, index) => (row * 7 + index * index * 3) % architecture.vocabularySize,
    );
    const targets = Int32Array.from(ids.slice(1));
    return {
      input: [tokens(ids.slice(0, -1))],
      targets,
      weights: new Float32Array(targets.length).fill(0.1),
    };
  });
}

async function train(model: Model, steps: number, rows = makeRows(24)): Promise<void> {
  for (let step = 0; step < steps; step += 1) {
    await Promise.all([
      model.forwardBackward(rows, { kind: "crossEntropy" }),
      model.optimStep({ kind: "adamw", learningRate: 1e-3, clipGradientNorm: 1 }),
    ]);
  }
}

test("one thread and three threads give the same bits in training and sampling", async () => {
  const results = [];
  for (const threadCount of [1, 3]) {
    const engine = start(threadCount);
    // Wide enough for helpers to be worth their while.
    const model = await makeModel(engine, 128);
    await train(model, 12);
    const version = await model.publish();
    const sampled = await engine.sample(version, {
      prompt: [tokens([1, 2])],
      count: 70,
      parameters: { maxTokens: 9, seed: 5 },
    });
    results.push({ digest: version.digest, sampled });
  }
  expect(results[1]).toEqual(results[0]);
});

test("the order and time of arrival change no sample", async () => {
  const engine = start(2);
  const version = await (await makeModel(engine)).publish();
  const ask = (seed: number): ReturnType<Engine["sample"]> =>
    engine.sample(version, {
      prompt: [tokens([seed % 5, 2, 3].slice(0, 1 + (seed % 3)))],
      parameters: { maxTokens: 6, seed },
    });
  const seeds = Array.from({ length: 40 }, (_, index) => index);
  const together = await Promise.all(seeds.map(ask));
  const oneByOne = [];
  for (const seed of seeds.toReversed()) oneByOne.unshift(await ask(seed));
  expect(oneByOne).toEqual(together);
});

test("memory is flat over 1,000 steps with sampling and publishing in between", async () => {
  const engine = start(1);
  const model = await makeModel(engine);
  const rows = makeRows(4);
  const round = async (): Promise<number> => {
    await train(model, 100, rows);
    const version = await model.publish();
    await engine.sample(version, { prompt: [tokens([1])], count: 20, parameters: { maxTokens: 4, seed: 1 } });
    await engine.releaseVersion(version);
    return (await engine.measureMemory()).tensorBytes;
  };
  const after: number[] = [];
  for (let index = 0; index < 10; index += 1) after.push(await round());
  expect(new Set(after).size).toBe(1);
});

test("closing while work is under way ends it, and closing twice is harmless", async () => {
  const engine = start(2);
  const model = await makeModel(engine);
  const work = train(model, 10_000).catch((thrown: unknown) => thrown);
  await new Promise((resolve) => setTimeout(resolve, 100));
  await engine.close();
  await engine.close();
  expect(await work).toMatchObject({ code: "aborted" });
});

/** Runs a program that uses the engine, and reports how it ended. */
async function runProgram(body: string): Promise<{ code: number | null; output: string }> {
  const url = new URL("./engine.ts", import.meta.url).href;
  const setUp = `const { createEngine } = await import(${JSON.stringify(url)});
    const engine = createEngine({ threadCount: 2 });
    const architecture = ${JSON.stringify(architecture)};
    const model = await engine.createModel({ name: "m", from: { kind: "architecture", architecture, seed: 1 } });
    await model.publish();`;
  const child = spawn(process.execPath, ["--input-type=module", "-e", `${setUp}\n${body}`], {
    timeout: 15_000,
  });
  let output = "";
  child.stdout.on("data", (data) => (output += String(data)));
  child.stderr.on("data", (data) => (output += String(data)));
  return new Promise((resolve) => child.on("close", (code) => resolve({ code, output })));
}

test("the process exits after close, and also when an idle engine was forgotten", async () => {
  const closed = await runProgram(`await engine.close(); console.log("closed");`);
  expect(closed).toEqual({ code: 0, output: "closed\n" });
  const forgotten = await runProgram(`console.log("idle");`);
  expect(forgotten).toEqual({ code: 0, output: "idle\n" });
});
