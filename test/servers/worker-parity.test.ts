/**
 * The embedded engine and the PyTorch worker give the same numbers for the same weights: the worker loads what the
 * embedded engine exports, and both train on the same rows for twenty steps with every loss. Log-probabilities, losses,
 * norms of gradients, entropies and values are compared at each step. Skipped without `SPAR_TEST_WORKER_PYTHON`.
 */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import {
  tokens,
  type BuiltInLoss,
  type CustomLoss,
  type Datum,
  type Engine,
  type ForwardBackwardResult,
  type Model,
  type ModelSource,
  type OptimizerParameters,
} from "../../src/contract/index.ts";
import { createEngine as createEmbedded } from "../../src/engines/embedded/engine.ts";
import { createEngine as createTinker } from "../../src/engines/tinker/engine.ts";
import { expectClose, expectDifferent, tolerances, widened } from "../../src/testing/index.ts";
import { lossesUnderTest, mixedRows, withAdvantages } from "../../src/testing/conformance/data.ts";
import { createTinyLlama } from "./tiny-llama.ts";
import { startWorker, workerPython, type WorkerProcess } from "./worker-process.ts";

const stepCount = 20;
const tolerance = widened(tolerances.float32, 8, "twenty steps of sums in another order: up to 5 was seen");

interface Side {
  readonly engine: Engine;
  readonly same: ModelSource;
  /** Weights that one step of training has moved a little. */
  readonly perturbed: ModelSource;
}

interface Setting {
  readonly embedded: Side;
  readonly worker: Side;
}

/** What a training run showed, step by step. */
interface Trace {
  readonly losses: readonly number[];
  readonly gradientNorms: readonly number[];
  readonly logprobs: readonly Float32Array[];
  /** What a custom loss read besides. */
  readonly outputs: readonly Float64Array[];
}

const optimizers: readonly OptimizerParameters[] = [
  { kind: "sgd", learningRate: 0.002, momentum: 0.5 },
  { kind: "adamw", learningRate: 0.005, epsilon: 1e-3, weightDecay: 0.1 },
];

async function train(
  engine: Engine,
  from: ModelSource,
  options: {
    readonly optimizer: OptimizerParameters;
    readonly rows: (model: Model) => Promise<readonly Datum[]>;
    readonly pass: (model: Model, data: readonly Datum[]) => Promise<ForwardBackwardResult>;
    readonly head?: "value";
  },
): Promise<Omit<Trace, "outputs">> {
  const { optimizer, rows, pass, head = "policy" } = options;
  const model = await engine.createModel({ name: "parity", from, head });
  try {
    const data = await rows(model);
    const losses: number[] = [];
    const gradientNorms: number[] = [];
    const logprobs: Float32Array[] = [];
    for (let step = 0; step < stepCount; step++) {
      const [result, { gradientNorm }] = await Promise.all([pass(model, data), model.optimStep(optimizer)]);
      losses.push(result.loss);
      gradientNorms.push(gradientNorm ?? Number.NaN);
      logprobs.push(...result.logprobs);
    }
    logprobs.push(...(await model.forward(data)).logprobs);
    return { losses, gradientNorms, logprobs };
  } finally {
    await model.release();
  }
}

/** The rows' behaviour log-probabilities lie around those of the start, so that ratios and clips are at work. */
function trainBuiltIn(
  engine: Engine,
  from: ModelSource,
  {
    loss,
    optimizer,
    behavior,
  }: {
    readonly loss: BuiltInLoss;
    readonly optimizer: OptimizerParameters;
    readonly behavior: readonly Float32Array[];
  },
): Promise<Omit<Trace, "outputs">> {
  return train(engine, from, {
    optimizer,
    rows: async (model) => withAdvantages(mixedRows(model), behavior),
    pass: (model, data) => model.forwardBackward(data, loss),
  });
}

/** Squared distance of values from 1, less entropy, and the square of log-probabilities: all outputs, all slopes. */
function watchful(seen: Float64Array[]): CustomLoss {
  return {
    name: "watchful",
    reads: ["entropies", "values"],
    evaluate: ({ logprobs, entropies = [], values = [] }) => {
      seen.push(...entropies, ...values);
      const sum = (rows: readonly Float64Array[], of: (value: number) => number): number =>
        rows.reduce((total, row) => row.reduce((inner, value) => inner + of(value), total), 0);
      const value =
        sum(logprobs, (logprob) => 0.1 * logprob ** 2) -
        sum(entropies, (entropy) => 0.3 * entropy) +
        sum(values, (entry) => (entry - 1) ** 2);
      return {
        value,
        gradients: {
          logprobs: logprobs.map((row) => row.map((logprob) => 0.2 * logprob)),
          entropies: entropies.map((row) => row.map(() => -0.3)),
          values: values.map((row) => row.map((entry) => 2 * (entry - 1))),
        },
        metrics: {},
      };
    },
  };
}

async function trainWatchful(
  engine: Engine,
  from: ModelSource,
  optimizer: OptimizerParameters,
): Promise<Trace> {
  const outputs: Float64Array[] = [];
  const loss = watchful(outputs);
  const trace = await train(engine, from, {
    optimizer,
    head: "value",
    rows: async (model) => mixedRows(model),
    pass: (model, data) => model.forwardBackwardCustom(data, loss),
  });
  return { ...trace, outputs };
}

function expectSame(actual: Omit<Trace, "outputs">, expected: Omit<Trace, "outputs">): void {
  expect(actual.losses.length).toBe(stepCount);
  expectClose(actual.losses, expected.losses, tolerance, "losses");
  expectClose(actual.gradientNorms, expected.gradientNorms, tolerance, "norms of gradients");
  expectClose(actual.logprobs, expected.logprobs, tolerance, "log-probabilities");
}

function expectOther(actual: Omit<Trace, "outputs">, expected: Omit<Trace, "outputs">): void {
  expectDifferent(actual.losses, expected.losses, tolerance, "losses of perturbed weights");
  expectDifferent(actual.gradientNorms, expected.gradientNorms, tolerance, "norms of perturbed weights");
  expectDifferent(actual.logprobs, expected.logprobs, tolerance, "log-probabilities of perturbed weights");
}

describe.skipIf(workerPython === "")("the embedded engine and the PyTorch worker", () => {
  let setting: Setting | null = null;
  const closing = new AsyncDisposableStack();
  const sides = (): Setting => {
    if (setting === null) throw new Error("the engines did not start");
    return setting;
  };

  beforeAll(async () => {
    const parent = await mkdtemp(join(tmpdir(), "spar-parity-"));
    closing.defer(() => rm(parent, { recursive: true, force: true }));
    const embedded = createEmbedded({ threadCount: 1 });
    closing.defer(() => embedded.close());
    const folders = { same: join(parent, "same"), perturbed: join(parent, "perturbed") };
    const model = await createTinyLlama(embedded);
    await model.export(folders.same);
    await model.forwardBackward(mixedRows(model), { kind: "crossEntropy" });
    await model.optimStep({ kind: "sgd", learningRate: 1e-3 });
    await model.export(folders.perturbed);
    await model.release();
    const worker: WorkerProcess = await startWorker(folders);
    closing.defer(() => worker.close());
    const tinker = await createTinker({ url: worker.url, key: worker.key });
    closing.defer(() => tinker.close());
    const base = (nameOrFolder: string): ModelSource => ({ kind: "base", nameOrFolder });
    setting = {
      embedded: { engine: embedded, same: base(folders.same), perturbed: base(folders.perturbed) },
      worker: { engine: tinker, same: base("same"), perturbed: base("perturbed") },
    };
  }, 300_000);
  afterAll(() => closing.disposeAsync(), 60_000);

  const cases = lossesUnderTest.flatMap((loss) => optimizers.map((optimizer) => ({ loss, optimizer })));
  test.each(cases)(
    "train alike with $loss.kind and $optimizer.kind for twenty steps, and not from other weights",
    { timeout: 120_000 },
    async ({ loss, optimizer }) => {
      const { embedded, worker } = sides();
      const start = await embedded.engine.createModel({ name: "start", from: embedded.same });
      const { logprobs: behavior } = await start.forward(mixedRows(start));
      await start.release();
      const options = { loss, optimizer, behavior };
      const expected = await trainBuiltIn(embedded.engine, embedded.same, options);
      expectSame(await trainBuiltIn(worker.engine, worker.same, options), expected);
      expectOther(await trainBuiltIn(worker.engine, worker.perturbed, options), expected);
    },
  );

  test.each(optimizers)(
    "train alike with a custom loss of log-probabilities, entropies and values, and $kind",
    { timeout: 120_000 },
    async (optimizer) => {
      const { embedded, worker } = sides();
      const expected = await trainWatchful(embedded.engine, embedded.same, optimizer);
      const actual = await trainWatchful(worker.engine, worker.same, optimizer);
      expectSame(actual, expected);
      expectClose(actual.outputs, expected.outputs, tolerance, "entropies and values");
      const other = await trainWatchful(worker.engine, worker.perturbed, optimizer);
      expectOther(other, expected);
      expectDifferent(
        other.outputs,
        expected.outputs,
        tolerance,
        "entropies and values of perturbed weights",
      );
    },
  );

  test("published versions score alike: log-probabilities and embeddings", { timeout: 120_000 }, async () => {
    const inputs = [[tokens([1, 2, 3, 4, 5, 0, 15])], [tokens([3, 0, 2])], [tokens([7])]];
    const scored = async (engine: Engine, from: ModelSource): Promise<Float32Array[][]> => {
      const model = await engine.createModel({ name: "scored", from });
      const version = await model.publish();
      await model.release();
      return [await engine.computeLogprobs(version, inputs), await engine.embed(version, inputs)];
    };
    const { embedded, worker } = sides();
    const [logprobs = [], embeddings = []] = await scored(embedded.engine, embedded.same);
    const [own = [], ownEmbeddings = []] = await scored(worker.engine, worker.same);
    expectClose(own, logprobs, tolerance, "log-probabilities");
    expectClose(ownEmbeddings, embeddings, tolerance, "embeddings");
    const [others = [], otherEmbeddings = []] = await scored(worker.engine, worker.perturbed);
    expectDifferent(others, logprobs, tolerance, "log-probabilities of perturbed weights");
    expectDifferent(otherEmbeddings, embeddings, tolerance, "embeddings of perturbed weights");
  });
});
