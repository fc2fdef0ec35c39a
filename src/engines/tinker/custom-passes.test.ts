/** Custom losses on a server of ours: one pass where a graph can wait, and the same update where it cannot. */
import { mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, describe, expect, test } from "vitest";
import { tokens, type CustomLoss, type Datum, type Engine, type Model } from "../../contract/index.ts";
import {
  createFakeEngine,
  expectClose,
  expectCode,
  expectDifferent,
  tinyModel,
  tolerances,
  widened,
} from "../../testing/index.ts";
import { createEngine } from "./engine.ts";
import { WireServer, type WireServerOptions } from "./fixtures/wire-server.ts";

const closing: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0).toReversed()) await close();
});

async function setUp(options: WireServerOptions): Promise<{ server: WireServer; engine: Engine }> {
  const server = new WireServer(options);
  closing.push(() => server.stop());
  const engine = await createEngine({ url: await server.start() });
  closing.push(() => engine.close());
  return { server, engine };
}

const data: readonly Datum[] = [4, 7, 5, 3].map((length, row): Datum => {
  const ids = Array.from({ length: length + 1 }, (_unused, index) => (row * 5 + index * 3) % 16);
  const targets = Int32Array.from(ids.slice(1));
  return {
    input: [tokens(ids.slice(0, -1))],
    targets,
    weights: new Float32Array(targets.length).fill(1),
  };
});

const squares: CustomLoss = {
  name: "squares",
  evaluate: ({ logprobs }) => ({
    value: logprobs.flatMap((row) => [...row]).reduce((sum, logprob) => sum + (logprob + 2.5) ** 2, 0),
    gradients: { logprobs: logprobs.map((row) => row.map((logprob) => 2 * (logprob + 2.5))) },
    metrics: {},
  }),
};

/** Reads all outputs, and has a gradient for each. */
const actorCritic: CustomLoss = {
  name: "actor-critic",
  reads: ["entropies", "values"],
  evaluate: ({ logprobs, entropies = [], values = [] }) => {
    const sum = (rows: readonly Float64Array[], of: (value: number) => number): number =>
      rows.reduce((total, row) => row.reduce((inner, value) => inner + of(value), total), 0);
    return {
      value:
        -sum(logprobs, (value) => value) -
        0.5 * sum(entropies, (value) => value) +
        sum(values, (value) => (value - 1) ** 2),
      gradients: {
        logprobs: logprobs.map((row) => row.map(() => -1)),
        entropies: entropies.map((row) => row.map(() => -0.5)),
        values: values.map((row) => row.map((value) => 2 * (value - 1))),
      },
      metrics: { read: entropies.length + values.length },
    };
  },
};

/** Two steps, and what the model then says of the rows. */
async function train(
  engine: Engine,
  loss: CustomLoss,
): Promise<{ losses: number[]; logprobs: Float32Array[] }> {
  const model = await engine.createModel({ ...tinyModel(), name: "m", head: "value" });
  const losses: number[] = [];
  for (let step = 0; step < 2; step++) {
    const pass = model.forwardBackwardCustom(data, loss);
    const [{ loss: value }] = await Promise.all([pass, model.optimStep({ kind: "sgd", learningRate: 0.02 })]);
    losses.push(value);
  }
  const version = await model.publish();
  const values = await engine.computeValues(
    version,
    data.map(({ input }) => input),
  );
  const { logprobs } = await model.forward(data);
  await model.release();
  return { losses, logprobs: [...logprobs, ...values] };
}

const servers: readonly {
  readonly title: string;
  readonly options: WireServerOptions;
  readonly passes: number;
}[] = [
  { title: "a server whose graphs wait", options: {}, passes: 1 },
  { title: "a server whose graphs are gone", options: { forgetsGraphs: true }, passes: 2 },
  { title: "a server whose graphs are smaller than the batch", options: { heldPositions: 11 }, passes: 2 },
  { title: "a server that takes three rows at a time", options: { chunkRows: 3 }, passes: 2 },
];

describe.each(servers)("$title", ({ options, passes }) => {
  const tolerance = widened(tolerances.float32, 20, "two steps of float32 gradients and log-probabilities");

  async function expectTrained(loss: CustomLoss): Promise<WireServer> {
    const direct = createFakeEngine();
    closing.push(() => direct.close());
    const { server, engine } = await setUp(options);
    const [trained, expected] = [await train(engine, loss), await train(direct, loss)];
    expectClose(trained.losses, expected.losses, tolerance, "losses");
    expectClose(trained.logprobs, expected.logprobs, tolerance, "log-probabilities and values");
    const other = await train(direct, loss === squares ? actorCritic : squares);
    expectDifferent(trained.losses, other.losses, tolerance, "another loss");
    return server;
  }

  test("a loss of log-probabilities trains as on the reference", async () => {
    const server = await expectTrained(squares);
    // One forward pass and one with gradients per step, whoever waits for whom; large batches in two parts.
    const backward = server.applied.filter((name) => name.startsWith("forward_backward"));
    expect(backward.length).toBeGreaterThanOrEqual(2);
    if (passes === 1) expect(server.applied.filter((name) => /^forward \d/.test(name)).length).toBe(3);
  });

  test.skipIf(options.forgetsGraphs)("entropies and values train as on the reference", async () => {
    await expectTrained(actorCritic);
  });
});

test("a graph that is gone is said, where the loss needs more than log-probabilities, and nothing was added", async () => {
  const { engine } = await setUp({ forgetsGraphs: true });
  const model = await engine.createModel({ ...tinyModel(), name: "m", head: "value" });
  await expectCode(model.forwardBackwardCustom(data, actorCritic), "graph-expired");
  await expectCode(model.optimStep({ kind: "sgd", learningRate: 0.1 }), "invalid-input");
  await model.forwardBackwardCustom(data, squares);
  await model.optimStep({ kind: "sgd", learningRate: 0.1 });
});

test("a row that is too large to wait is said, and nothing was added", async () => {
  const { engine } = await setUp({ heldPositions: 6 });
  const model = await engine.createModel({ ...tinyModel(), name: "m", head: "value" });
  await expectCode(model.forwardBackwardCustom(data, actorCritic), "memory-exhausted");
  await expectCode(model.optimStep({ kind: "sgd", learningRate: 0.1 }), "invalid-input");
});

test("a loss without gradients adds zeros, on one pass and on two", async () => {
  for (const options of [{}, { isOurs: false, isStrict: true }]) {
    const server = new WireServer(options);
    closing.push(() => server.stop());
    const executor = options.isOurs === false ? "hosted" : "spar";
    const engine = await createEngine({ url: await server.start(), executor });
    closing.push(() => engine.close());
    const model: Model = await engine.createModel({
      name: "m",
      from: { kind: "base", nameOrFolder: "tiny" },
      tuning: { kind: "lora", rank: 2, alpha: 32, seed: 1 },
    });
    const before = await model.forward(data);
    await model.forwardBackwardCustom(data, {
      name: "watch",
      evaluate: () => ({ value: 1, gradients: {}, metrics: {} }),
    });
    await model.optimStep({ kind: "adamw", learningRate: 0.5, weightDecay: 0 });
    expect((await model.forward(data)).logprobs).toEqual(before.logprobs);
  }
});

test("a loss that reads values needs a model with a value head", async () => {
  const { engine } = await setUp({});
  const model = await engine.createModel({ ...tinyModel(), name: "m" });
  await expectCode(model.forwardBackwardCustom(data, actorCritic), "invalid-input");
  const version = await model.publish();
  await expectCode(engine.computeValues(version, [[tokens([1, 2])]]), "invalid-input");
});

test("an export comes from the server's folder where that is here, and else as an archive", async () => {
  const parent = await mkdtemp(join(tmpdir(), "spar-export-"));
  closing.push(() => rm(parent, { recursive: true, force: true }));
  const here = await setUp({});
  await (await here.engine.createModel({ ...tinyModel(), name: "m" })).export(join(parent, "one"));
  expect(await readdir(join(parent, "one"))).toContain("config.json");
  expect(here.server.requests.some((request) => request.startsWith("DELETE"))).toBe(true);
  const elsewhere = await setUp({ isElsewhere: true });
  await (await elsewhere.engine.createModel({ ...tinyModel(), name: "m" })).export(join(parent, "two"));
  expect(await readdir(join(parent, "two"))).toEqual(await readdir(join(parent, "one")));
  expect(elsewhere.server.requests).toContain("GET signed/archive.tar");
  expect(elsewhere.server.requests.some((request) => request.startsWith("DELETE"))).toBe(true);
  expect(await readdir(parent)).toHaveLength(2);
});
